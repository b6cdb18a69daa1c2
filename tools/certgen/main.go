// Package main stands in for kube-webhook-certgen where its image cannot be pulled: the flags the chart
// passes and the API calls that follow them, nothing else. The certificates come from the program it descends from.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"

	"github.com/jet/kube-webhook-certgen/pkg/certs"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	admission "k8s.io/client-go/applyconfigurations/admissionregistration/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

func main() {
	// The log is JSON on stderr, as the image's is unless --log-format says otherwise.
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stderr, nil)))
	if err := run(os.Args[1:]); err != nil {
		slog.Error(err.Error())
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("usage: certgen create|patch [flags]")
	}
	command, ok := map[string]func([]string) error{"create": create, "patch": patch}[args[0]]
	if !ok {
		return fmt.Errorf("unknown command %q", args[0])
	}
	return command(args[1:])
}

type secretFlags struct {
	*flag.FlagSet
	kubeconfig, namespace, name, ca *string
}

func newSecretFlags(command string) secretFlags {
	set := flag.NewFlagSet(command, flag.ExitOnError)
	set.String("log-level", "info", "accepted, unused")
	set.String("log-format", "json", "accepted, unused")
	return secretFlags{
		FlagSet:    set,
		kubeconfig: set.String("kubeconfig", "", "kubeconfig file; without one, the pod's ServiceAccount"),
		namespace:  set.String("namespace", "", "namespace of the secret"),
		name:       set.String("secret-name", "", "name of the secret"),
		ca:         set.String("ca-name", "ca", "key of the CA in the secret"),
	}
}

func (f secretFlags) parse(args []string) (*kubernetes.Clientset, error) {
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if f.NArg() > 0 || *f.namespace == "" || *f.name == "" {
		return nil, fmt.Errorf("%s: --namespace and --secret-name are required, and no arguments: %q", f.Name(), f.Args())
	}
	config, err := clientcmd.BuildConfigFromFlags("", *f.kubeconfig)
	if err != nil {
		return nil, err
	}
	return kubernetes.NewForConfig(config)
}

func create(args []string) error {
	f := newSecretFlags("create")
	host := f.String("host", "", "comma-separated names and addresses the certificate is for")
	cert := f.String("cert-name", "cert", "key of the certificate in the secret")
	key := f.String("key-name", "key", "key of the private key in the secret")
	kind := f.String("secret-type", "Opaque", "type of the secret")
	client, err := f.parse(args)
	if err != nil {
		return err
	}
	if *host == "" {
		return fmt.Errorf("create: --host is required")
	}
	secrets := client.CoreV1().Secrets(*f.namespace)
	found, err := secrets.Get(context.Background(), *f.name, metav1.GetOptions{})
	if err == nil {
		// Whatever --ca-name says: the image looks for this one, and fails on a Secret without.
		_, err = authority(found, "ca.crt")
		return err
	}
	if !errors.IsNotFound(err) {
		return err
	}
	slog.Info("creating new secret")
	caPEM, certPEM, keyPEM := certs.GenerateCerts(*host)
	_, err = secrets.Create(context.Background(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: *f.name},
		Type:       corev1.SecretType(*kind),
		Data:       map[string][]byte{*f.ca: caPEM, *cert: certPEM, *key: keyPEM},
	}, metav1.CreateOptions{})
	return err
}

// authority is the CA of a Secret: under a name, or under "ca" as certgen called it once.
func authority(secret *corev1.Secret, name string) ([]byte, error) {
	for _, key := range []string{name, "ca"} {
		if ca := secret.Data[key]; ca != nil {
			return ca, nil
		}
	}
	return nil, fmt.Errorf("secret %s/%s has no key %s", secret.Namespace, secret.Name, name)
}

func patch(args []string) error {
	f := newSecretFlags("patch")
	name := f.String("webhook-name", "", "name of the webhook configurations")
	mode := f.String("patch-mode", "update", "only patch, which is server-side apply")
	mutating := f.Bool("patch-mutating", true, "patch the mutating configuration")
	validating := f.Bool("patch-validating", true, "patch the validating configuration")
	client, err := f.parse(args)
	if err != nil {
		return err
	}
	if *name == "" || *mode != "patch" || !*mutating && !*validating {
		return fmt.Errorf("patch: needs --webhook-name, --patch-mode=patch and something to patch")
	}
	ctx, apply := context.Background(), metav1.ApplyOptions{FieldManager: "kube-webhook-certgen", Force: true}
	secret, err := client.CoreV1().Secrets(*f.namespace).Get(ctx, *f.name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	ca, err := authority(secret, *f.ca)
	if err != nil {
		return err
	}
	to := func() *admission.WebhookClientConfigApplyConfiguration {
		return admission.WebhookClientConfig().WithCABundle(ca...)
	}
	if *validating {
		configurations := client.AdmissionregistrationV1().ValidatingWebhookConfigurations()
		found, err := configurations.Get(ctx, *name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		wanted := admission.ValidatingWebhookConfiguration(*name)
		for _, webhook := range found.Webhooks {
			wanted.WithWebhooks(admission.ValidatingWebhook().WithName(webhook.Name).WithClientConfig(to()))
		}
		if _, err = configurations.Apply(ctx, wanted, apply); err != nil {
			return err
		}
	}
	if *mutating {
		configurations := client.AdmissionregistrationV1().MutatingWebhookConfigurations()
		found, err := configurations.Get(ctx, *name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		wanted := admission.MutatingWebhookConfiguration(*name)
		for _, webhook := range found.Webhooks {
			wanted.WithWebhooks(admission.MutatingWebhook().WithName(webhook.Name).WithClientConfig(to()))
		}
		if _, err = configurations.Apply(ctx, wanted, apply); err != nil {
			return err
		}
	}
	return nil
}
