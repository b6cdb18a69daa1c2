"""The objects: what Helm makes of the charts, parted into files and checked."""
