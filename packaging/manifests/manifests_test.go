package manifests

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	policy "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
)

// objects returns the objects of the files for Kubernetes. An unknown field, or one of the wrong type, is an error.
func objects(t *testing.T) (all []runtime.Object) {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{core.AddToScheme, apps.AddToScheme, policy.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	decoder := json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme, scheme, json.SerializerOptions{Yaml: true, Strict: true})
	files, err := filepath.Glob("../kubernetes/*.yaml")
	if err != nil || len(files) != 2 {
		t.Fatalf("the files are %q, %v", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, document := range bytes.Split(text, []byte("\n---\n")) {
			object, kind, err := decoder.Decode(document, nil, nil)
			if err != nil {
				t.Errorf("%s: %v: %v", file, kind, err)
				continue
			}
			all = append(all, object)
		}
	}
	return all
}

// one returns the only object of a type.
func one[T runtime.Object](t *testing.T, all []runtime.Object) (found T) {
	t.Helper()
	n := 0
	for _, object := range all {
		if o, ok := object.(T); ok {
			found = o
			n++
		}
	}
	if n != 1 {
		t.Fatalf("%d objects are %T", n, found)
	}
	return found
}

func TestTheKubernetesObjectsFitTogether(t *testing.T) {
	all := objects(t)
	deployment, service := one[*apps.Deployment](t, all), one[*core.Service](t, all)
	config, secret := one[*core.ConfigMap](t, all), one[*core.Secret](t, all)
	budget := one[*policy.PodDisruptionBudget](t, all)
	pod := deployment.Spec.Template
	for _, selector := range []map[string]string{deployment.Spec.Selector.MatchLabels, service.Spec.Selector, budget.Spec.Selector.MatchLabels} {
		for key, value := range selector {
			if pod.Labels[key] != value {
				t.Errorf("the pods have no label %s=%s", key, value)
			}
		}
	}
	container := pod.Spec.Containers[0]
	ports := map[string]int32{}
	for _, port := range container.Ports {
		ports[port.Name] = port.ContainerPort
	}
	for _, probe := range []*core.Probe{container.LivenessProbe, container.ReadinessProbe, container.StartupProbe} {
		if ports[probe.HTTPGet.Port.StrVal] != 9876 {
			t.Errorf("a probe asks the port %v", probe.HTTPGet.Port)
		}
	}
	if ports[service.Spec.Ports[0].TargetPort.StrVal] != 9876 {
		t.Errorf("the service is for the port %v", service.Spec.Ports[0].TargetPort)
	}
	if pod.Spec.Volumes[0].ConfigMap.Name != config.Name || pod.Spec.Volumes[1].Secret.SecretName != secret.Name {
		t.Errorf("the volumes are %+v", pod.Spec.Volumes)
	}
	for name := range secret.StringData {
		if path := container.VolumeMounts[1].MountPath + "/" + name; !strings.Contains(config.Data["clu-ws.yaml"], "file:"+path+"\n") {
			t.Errorf("the configuration does not read %s", path)
		}
	}
	if *deployment.Spec.Replicas <= budget.Spec.MinAvailable.IntVal {
		t.Error("no node could be drained")
	}
	if *pod.Spec.SecurityContext.RunAsUser != 65532 {
		t.Error("the user is not the image's")
	}
}

func TestTheComposeFileIsUnderstood(t *testing.T) {
	options, err := cli.NewProjectOptions([]string{"../compose.yaml"}, cli.WithName("clu-ws"), cli.WithEnv([]string{"BROKER_PASSWORD=secret"}))
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	bridge, broker := project.Services["clu-ws"], project.Services["rabbitmq"]
	if *bridge.Environment["CLU_WS_PASSWORD"] != "secret" || *bridge.Environment["CLU_WS_RABBITMQ_HOST"] != "rabbitmq" || *broker.Environment["RABBITMQ_DEFAULT_PASS"] != "secret" {
		t.Errorf("the environments are %v and %v", bridge.Environment, broker.Environment)
	}
	if bridge.Ports[0].HostIP != "127.0.0.1" || !bridge.ReadOnly || bridge.StopGracePeriod == nil {
		t.Errorf("the bridge is %+v", bridge)
	}
	without, err := cli.NewProjectOptions([]string{"../compose.yaml"}, cli.WithName("clu-ws"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := without.LoadProject(t.Context()); err == nil || !strings.Contains(err.Error(), "set it in .env") {
		t.Errorf("without a password: %v", err)
	}
}
