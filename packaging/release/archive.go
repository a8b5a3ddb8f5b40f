package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// entry is a file in an archive or an image.
type entry struct {
	name string
	mode int64
	data []byte
}

// tarOf returns a tar of files, which belong to root, in the order given. Folders are added where they are missing.
func tarOf(entries []entry, when time.Time) ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	made := map[string]bool{"": true}
	for _, e := range entries {
		parts := strings.Split(e.name, "/")
		for i := range parts[:len(parts)-1] {
			folder := strings.Join(parts[:i+1], "/")
			if made[folder] {
				continue
			}
			made[folder] = true
			if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: folder + "/", Mode: 0o755, ModTime: when, Format: tar.FormatPAX}); err != nil {
				return nil, err
			}
		}
		header := &tar.Header{Typeflag: tar.TypeReg, Name: e.name, Mode: e.mode, Size: int64(len(e.data)), ModTime: when, Format: tar.FormatPAX}
		if err := w.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := w.Write(e.data); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return out.Bytes(), err
}

// compressed returns data as gzip, without a name or a time.
func compressed(data []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	err = w.Close()
	return out.Bytes(), err
}

// writeArchive writes the archive of a system, for where there is no package.
func (b *builder) writeArchive(out string, bin binary) error {
	folder := strings.TrimSuffix(b.fileName(""), "_")
	var entries []entry
	add := func(name string, mode int64, path string) error {
		data, err := os.ReadFile(path)
		entries = append(entries, entry{folder + "/" + name, mode, data})
		return err
	}
	if err := add("clu-ws", 0o755, bin.path); err != nil {
		return err
	}
	files := [][2]string{
		{"LICENSE", filepath.Join(b.root, "LICENSE")}, {"README.md", filepath.Join(b.root, "README.md")},
		{"CHANGELOG.md", filepath.Join(b.root, "CHANGELOG.md")}, {"THIRD-PARTY.txt", b.generated("THIRD-PARTY.txt")},
		{"clu-ws.yaml", b.generated("clu-ws.yaml")},
	}
	for _, source := range []struct{ name, pattern string }{
		{"man/", b.generated("man", "*")}, {"completion/", b.generated("completion", "*")}, {"docs/", filepath.Join(b.root, "docs", "*.md")},
		{"systemd/", filepath.Join(b.root, "docs", "systemd", "clu-ws.*")},
	} {
		found, err := filepath.Glob(source.pattern)
		if err != nil {
			return err
		}
		for _, path := range found {
			if source.name != "systemd/" || bin.system == "linux" {
				files = append(files, [2]string{source.name + filepath.Base(path), path})
			}
		}
	}
	for _, f := range files {
		if err := add(f[0], 0o644, f[1]); err != nil {
			return err
		}
	}
	data, err := tarOf(entries, b.date)
	if err != nil {
		return err
	}
	if data, err = compressed(data); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, b.fileName(bin.system+"_"+bin.processor+".tar.gz")), data, 0o644)
}

// writeChecksums writes the file that sha256sum --check reads.
func writeChecksums(out string) error {
	entries, err := os.ReadDir(out)
	if err != nil {
		return err
	}
	var sums strings.Builder
	for _, e := range entries {
		if e.Name() == marker {
			continue
		}
		data, err := os.ReadFile(filepath.Join(out, e.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(data), e.Name())
	}
	return os.WriteFile(filepath.Join(out, marker), []byte(sums.String()), 0o644)
}
