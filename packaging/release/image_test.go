package main

import (
	"archive/tar"
	"bytes"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// unpack writes the files of a tar to a folder.
func unpack(t *testing.T, from io.Reader, folder string) {
	t.Helper()
	for r := tar.NewReader(from); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		path := filepath.Join(folder, header.Name)
		switch {
		case err != nil:
		case header.Typeflag == tar.TypeDir:
			err = os.MkdirAll(path, 0o755)
		default:
			var data []byte
			if data, err = io.ReadAll(r); err == nil {
				err = errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, data, os.FileMode(header.Mode)))
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// theImage returns the image of the release, and its configuration.
func theImage(t *testing.T) (v1.Image, v1.Config) {
	t.Helper()
	folder := t.TempDir()
	unpack(t, strings.NewReader(read(t, file(t, "_oci.tar"))), folder)
	index, err := layout.ImageIndexFromPath(folder)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil || len(manifest.Manifests) != 1 || manifest.Manifests[0].Annotations["org.opencontainers.image.ref.name"] != "1.2.3" {
		t.Fatalf("the index is %+v, %v", manifest, err)
	}
	inner, err := index.ImageIndex(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(inner); err != nil {
		t.Fatal(err)
	}
	images, err := inner.IndexManifest()
	if err != nil || len(images.Manifests) != 1 || images.Manifests[0].Platform.String() != testTarget {
		t.Fatalf("the images are %+v, %v", images, err)
	}
	image, err := inner.Image(images.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	return image, config.Config
}

// container is an unpacked image.
type container struct {
	root   string
	config v1.Config
}

// command returns a command that runs the program of the image with arguments.
func (c container) command(arguments ...string) *exec.Cmd {
	args := []string{"--mount", "--pid", "--fork", "sh", "testdata/image.sh", c.root, c.config.User}
	return exec.Command("unshare", slices.Concat(args, c.config.Entrypoint, arguments)...)
}

func TestTheImageServesWithoutRightsOnAReadOnlyRoot(t *testing.T) {
	image, config := theImage(t)
	c := container{t.TempDir(), config}
	files := mutate.Extract(image)
	defer files.Close()
	unpack(t, files, c.root)
	certificates := x509.NewCertPool()
	if !certificates.AppendCertsFromPEM([]byte(read(t, filepath.Join(c.root, "etc/ssl/certs/ca-certificates.crt")))) {
		t.Error("the image has no certificates of authorities")
	}
	if config.User != "65532:65532" || config.Labels["org.opencontainers.image.version"] != "1.2.3" || len(config.Cmd) != 1 {
		t.Errorf("the configuration is %+v", config)
	}
	if os.Getuid() != 0 {
		missing(t, "root, who may make a container: run it with sudo")
	}
	if err := os.Mkdir(filepath.Join(c.root, "proc"), 0o755); err != nil { // as every runtime does
		t.Fatal(err)
	}
	address := freeAddress(t)
	bridge := c.command(append(config.Cmd, "--listen", address, "--embedded-broker", "--rabbitmq-port", "0", "--name", "contained")...)
	var log bytes.Buffer
	bridge.Stdout, bridge.Stderr = &log, &log
	if err := bridge.Start(); err != nil {
		t.Fatal(err)
	}
	stop := func() {
		for _, process := range inside(t, c.root) {
			_ = syscall.Kill(process, syscall.SIGTERM) // the bridge, which is the first of its processes
		}
		if err := bridge.Wait(); err != nil {
			t.Errorf("the bridge ended with %v", err)
		}
	}
	if !awaits(func() bool { return upgrades(address) == nil }) {
		stop()
		t.Fatalf("no client could connect: %v; the log is\n%s", upgrades(address), &log)
	}
	// The program that the image names as its check.
	if !awaits(func() bool { return c.command(append(config.Healthcheck.Test[2:], "--ready", address)...).Run() == nil }) {
		out, err := c.command("health", "--ready", address).CombinedOutput()
		t.Errorf("the check says %s, %v", out, err)
	}
	if out, err := c.command("health", "127.0.0.1:1").CombinedOutput(); err == nil {
		t.Errorf("the check of nothing says %s", out)
	}
	if rights := capabilities(t, c.root); rights != "" {
		t.Errorf("the bridge has %s", rights)
	}
	stop()
	if t.Failed() {
		t.Logf("the log is\n%s", &log)
	}
}

// inside returns the processes below the root.
func inside(t *testing.T, root string) (processes []int) {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/root")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		number, err := strconv.Atoi(strings.Split(link, "/")[2])
		if at, linkErr := os.Readlink(link); err == nil && linkErr == nil && at == root {
			processes = append(processes, number)
		}
	}
	return processes
}

// capabilities returns what processes below the root may do that they should not.
func capabilities(t *testing.T, root string) (rights string) {
	t.Helper()
	processes := inside(t, root)
	if len(processes) == 0 {
		t.Error("no process is in the container")
	}
	for _, process := range processes {
		for line := range strings.Lines(read(t, fmt.Sprintf("/proc/%d/status", process))) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), ":\t")
			if (name == "CapEff" || name == "CapPrm" || name == "CapInh") && strings.Trim(value, "0") != "" || name == "NoNewPrivs" && value != "1" ||
				name == "Uid" && value != "65532\t65532\t65532\t65532" {
				rights += line
			}
		}
	}
	return rights
}

// upgrades returns nil if a WebSocket can be opened at the address.
func upgrades(address string) error {
	request, err := http.NewRequest(http.MethodGet, "http://"+address+"/", nil)
	if err != nil {
		return err
	}
	for name, value := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="} {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return err
	}
	response.Body.Close()
	if response.StatusCode != http.StatusSwitchingProtocols {
		return errors.New(response.Status)
	}
	return nil
}

// awaits reports whether something becomes true within a minute.
func awaits(is func() bool) bool {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); <-tick.C {
		if is() {
			return true
		}
	}
	return is()
}

func freeAddress(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

func TestTheImagesConfigurationIsJSONThatDockerReads(t *testing.T) {
	image, _ := theImage(t)
	raw, err := image.RawConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Architecture, OS string
		Config           struct {
			Healthcheck struct{ Test []string }
			StopSignal  string
		}
	}
	if err := json.Unmarshal(raw, &config); err != nil || config.OS+"/"+config.Architecture != testTarget ||
		strings.Join(config.Config.Healthcheck.Test, " ") != "CMD /usr/bin/clu-ws health" || config.Config.StopSignal != "SIGTERM" {
		t.Errorf("it is %s, %v", raw, err)
	}
}

// tarNames returns the paths of files in a tar.
func tarNames(t *testing.T, data []byte) (names []string) {
	t.Helper()
	for r := tar.NewReader(bytes.NewReader(data)); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return names
		} else if err != nil {
			t.Fatal(err)
		}
		if header.Typeflag == tar.TypeReg {
			names = append(names, strings.TrimPrefix(header.Name, "."))
		}
	}
}
