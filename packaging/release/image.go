package main

import (
	"bytes"
	"encoding/pem"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// imageUser is the user of the image, which has no name anywhere.
const imageUser = "65532:65532"

// writeImage writes an image of the program for each processor, and nothing else in it than the
// certificates of authorities: an archive in OCI's layout.
func (b *builder) writeImage(out string, binaries []binary) error {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, bin := range binaries {
		image, err := b.image(bin)
		if err != nil {
			return err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{
			Platform: &v1.Platform{OS: bin.system, Architecture: bin.processor},
		}})
	}
	index = mutate.Annotations(index, b.labels()).(v1.ImageIndex)
	folder := filepath.Join(b.work, "oci")
	path, err := layout.Write(folder, empty.Index)
	if err != nil {
		return err
	}
	// What reads the archive finds the image by this name.
	name := map[string]string{"org.opencontainers.image.ref.name": strings.ReplaceAll(b.fullVersion(), "~", "-")}
	if err := path.AppendIndex(index, layout.WithAnnotations(name)); err != nil {
		return err
	}
	var entries []entry
	if err := filepath.WalkDir(folder, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(folder, path)
		entries = append(entries, entry{filepath.ToSlash(name), 0o644, data})
		return err
	}); err != nil {
		return err
	}
	data, err := tarOf(entries, b.date)
	if err != nil {
		return err
	}
	return os.WriteFile(out, data, 0o644)
}

// image returns the image of one processor.
func (b *builder) image(bin binary) (v1.Image, error) {
	program, err := os.ReadFile(bin.path)
	if err != nil {
		return nil, err
	}
	licences, err := os.ReadFile(b.generated("THIRD-PARTY.txt"))
	if err != nil {
		return nil, err
	}
	files, err := tarOf([]entry{
		{"etc/ssl/certs/ca-certificates.crt", 0o644, authorities()},
		{"usr/share/doc/clu-ws/THIRD-PARTY.txt", 0o644, licences},
		{"usr/bin/clu-ws", 0o755, program},
	}, b.date)
	if err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(files)), nil },
		tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, err
	}
	image := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
	image = mutate.ConfigMediaType(image, types.OCIConfigJSON)
	image, err = mutate.Append(image, mutate.Addendum{Layer: layer, MediaType: types.OCILayer, History: v1.History{CreatedBy: "clu-ws release", Created: v1.Time{Time: b.date}}})
	if err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.Created, config.OS, config.Architecture = v1.Time{Time: b.date}, bin.system, bin.processor
	config.Config = v1.Config{
		User: imageUser, Entrypoint: []string{"/usr/bin/clu-ws"}, Cmd: []string{"websocket"}, WorkingDir: "/", StopSignal: "SIGTERM",
		Env: []string{"PATH=/usr/bin"}, ExposedPorts: map[string]struct{}{"9876/tcp": {}}, Labels: b.labels(),
		// Docker reads it; Kubernetes has probes of its own.
		Healthcheck: &v1.HealthConfig{Test: []string{"CMD", "/usr/bin/clu-ws", "health"}, Interval: 10 * time.Second, Timeout: 6 * time.Second, StartPeriod: 10 * time.Second},
	}
	return mutate.ConfigFile(image, config)
}

func (b *builder) labels() map[string]string {
	const name = "org.opencontainers.image."
	return map[string]string{
		name + "title": "clu-ws", name + "description": "WebSocket bridge to CLU actors on RabbitMQ",
		name + "version": b.fullVersion(), name + "revision": b.commit + b.changes(), name + "created": b.date.Format(time.RFC3339),
		name + "source": "https://github.com/clu-ws/clu-ws", name + "licenses": "BSD-3-Clause",
	}
}

// authorities returns the certificates of Mozilla's program, in PEM.
func authorities() []byte {
	var out bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil { // those with one need more than a list
			_ = pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}) // a buffer takes everything
		}
	}
	return out.Bytes()
}
