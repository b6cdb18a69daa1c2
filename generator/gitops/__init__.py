"""What GitOps tools need beside the objects, to apply a folder of manifests from Git."""
