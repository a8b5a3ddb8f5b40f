package cache

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fakeRabbitMQ makes the folder of a complete component.
func fakeRabbitMQ(t *testing.T, root, suite, version string) {
	t.Helper()
	c := rabbitmqOf(suite)
	dir := filepath.Join(root, c.name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"stamp": c.stamp(dir), "version": version + "\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheNewestRabbitMQIsTestingsUnlessItCannotBeUsed(t *testing.T) {
	tree := t.TempDir()
	if err := os.WriteFile(filepath.Join(tree, "go.mod"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(tree)
	root, err := Root()
	if err != nil {
		t.Fatal(err)
	}
	fakeRabbitMQ(t, root, Trixie, "4.0.5")
	fakeRabbitMQ(t, root, Testing, "4.3.6")
	want := func(version, instead string) {
		t.Helper()
		got, err := NewestRabbitMQ()
		if err != nil || got.Version != version || (got.Instead != "") != (instead != "") || !strings.Contains(got.Instead, instead) {
			t.Errorf("got %+v (%v), want %s instead because of %q", got, err, version, instead)
		}
	}
	want("4.3.6", "")

	fakeRabbitMQ(t, root, Testing, "5.0.0")
	want("4.0.5", "testing has RabbitMQ 5.0.0")

	dir := filepath.Join(root, rabbitmqOf(Testing).name)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+".failed", []byte("no mirror"), 0o600); err != nil {
		t.Fatal(err)
	}
	want("4.0.5", "no mirror")
}
