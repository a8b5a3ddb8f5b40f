package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/goreleaser/nfpm/v2"
	_ "github.com/goreleaser/nfpm/v2/deb" // the formats register themselves
	"github.com/goreleaser/nfpm/v2/files"
	_ "github.com/goreleaser/nfpm/v2/rpm"
)

// Types of a package's contents.
const (
	asFile   = ""
	asConfig = "config|noreplace" // a changed one is kept at an upgrade
	asFolder = "dir"
)

// packageContents are the files of a package, whose paths are those of Debian and Fedora.
type packageContents struct {
	b      *builder
	folder string // of what is written for this package
	all    files.Contents
	err    error
}

// add adds a file, or a folder if the source is "". Only is deb or rpm, or "" for both.
func (c *packageContents) add(destination, source, kind string, mode os.FileMode, only string) {
	c.all = append(c.all, &files.Content{
		Source: source, Destination: destination, Type: kind, Packager: only,
		FileInfo: &files.ContentFileInfo{Owner: "root", Group: "root", Mode: mode, MTime: c.b.date},
	})
}

// write adds a file with a text.
func (c *packageContents) write(destination string, text []byte, only string) {
	file := filepath.Join(c.folder, strings.ReplaceAll(destination, "/", "_"))
	if err := os.WriteFile(file, text, 0o644); err != nil {
		c.err = err
	}
	c.add(destination, file, asFile, 0o644, only)
}

// compress adds a compressed file.
func (c *packageContents) compress(destination, source, only string) {
	text, err := os.ReadFile(source)
	if err == nil {
		text, err = compressed(text)
	}
	if err != nil {
		c.err = err
	}
	c.write(destination+".gz", text, only)
}

// writePackages writes the .deb and the .rpm of a system that has them.
func (b *builder) writePackages(out string, bin binary) error {
	if bin.system != "linux" {
		return nil
	}
	for _, format := range []string{"deb", "rpm"} {
		info, err := b.packageInfo(format, bin)
		if err != nil {
			return err
		}
		if err := b.writePackage(out, format, info); err != nil {
			return fmt.Errorf("%s: %w", format, err)
		}
	}
	return nil
}

func (b *builder) writePackage(out, format string, info *nfpm.Info) error {
	packager, err := nfpm.Get(format)
	if err != nil {
		return err
	}
	info = nfpm.WithDefaults(info)
	if err := nfpm.PrepareForPackager(info, format); err != nil {
		return err
	}
	file, err := os.Create(filepath.Join(out, packager.ConventionalFileName(info)))
	if err != nil {
		return err
	}
	if err := packager.Package(info, file); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}

// packageInfo describes a package.
func (b *builder) packageInfo(format string, bin binary) (*nfpm.Info, error) {
	contents, err := b.packageFiles(bin)
	if err != nil {
		return nil, err
	}
	script := func(name string) string { return filepath.Join(b.root, "packaging", "scripts", format+"."+name) }
	info := &nfpm.Info{
		Name: "clu-ws", Arch: bin.processor, Platform: "linux", Version: b.version, Prerelease: b.snapshot, Release: "1", VersionSchema: "none",
		Section: "net", Priority: "optional", Homepage: "https://github.com/clu-ws/clu-ws", License: "BSD-3-Clause",
		Maintainer: "The clu-ws developers <clu-ws@users.noreply.github.com>", MTime: b.date,
		Description: "WebSocket bridge to CLU actors on RabbitMQ\nclu-ws connects web pages to the CLU actors of an observatory: it relays\ntheir replies to browsers over WebSocket, and commands from these to the\nactors.",
		Overridables: nfpm.Overridables{
			Contents: contents,
			Scripts:  nfpm.Scripts{PostInstall: script("postinst"), PreRemove: script("prerm"), PostRemove: script("postrm")},
			RPM:      nfpm.RPM{BuildHost: "reproducible", Group: "System Environment/Daemons", Compression: "zstd", Packager: "The clu-ws developers"},
			Deb:      nfpm.Deb{Compression: b.debCompression()},
		},
	}
	if format == "deb" {
		info.License = "" // dpkg has no such field; it is in the file copyright
		info.Depends = []string{"passwd | systemd"}
		info.Suggests = []string{"rabbitmq-server"}
	} else {
		info.Depends = []string{"/usr/sbin/useradd"}
		info.Scripts.PreInstall = script("pre")
	}
	return info, nil
}

// packageFiles returns the files of both packages.
func (b *builder) packageFiles(bin binary) (files.Contents, error) {
	c := &packageContents{b: b, folder: filepath.Join(b.work, "package", bin.processor)}
	if err := os.MkdirAll(c.folder, 0o755); err != nil {
		return nil, err
	}
	const docs = "/usr/share/doc/clu-ws/"
	c.add("/usr/bin/clu-ws", bin.path, asFile, 0o755, "")
	c.add("/etc/clu-ws", "", asFolder, 0o755, "")
	// The file may have a password. Its group is the bridge's.
	c.add("/etc/clu-ws/clu-ws.yaml", b.generated("clu-ws.yaml"), asConfig, 0o640, "deb")
	c.add("/etc/clu-ws/clu-ws.yaml", b.generated("clu-ws.yaml"), asConfig, 0o640, "rpm")
	c.all[len(c.all)-1].FileInfo.Group = "clu-ws"
	c.add("/etc/logrotate.d/clu-ws", filepath.Join(b.root, "packaging", "logrotate"), asConfig, 0o644, "")
	c.add("/usr/lib/sysusers.d/clu-ws.conf", filepath.Join(b.root, "packaging", "sysusers.conf"), asFile, 0o644, "")
	for _, unit := range []string{"clu-ws.service", "clu-ws.socket"} {
		text, err := b.unit(unit)
		if err != nil {
			return nil, err
		}
		c.write("/usr/lib/systemd/system/"+unit, text, "")
	}
	c.add("/usr/share/bash-completion/completions/clu-ws", b.generated("completion", "bash"), asFile, 0o644, "")
	c.add("/usr/share/zsh/vendor-completions/_clu-ws", b.generated("completion", "zsh"), asFile, 0o644, "deb")
	c.add("/usr/share/zsh/site-functions/_clu-ws", b.generated("completion", "zsh"), asFile, 0o644, "rpm")
	c.add("/usr/share/fish/vendor_completions.d/clu-ws.fish", b.generated("completion", "fish"), asFile, 0o644, "")
	pages, err := filepath.Glob(b.generated("man", "*"))
	if err != nil {
		return nil, err
	}
	for _, page := range pages {
		c.compress("/usr/share/man/man"+strings.TrimPrefix(path.Ext(page), ".")+"/"+filepath.Base(page), page, "")
	}
	texts, err := filepath.Glob(filepath.Join(b.root, "docs", "*.md"))
	if err != nil {
		return nil, err
	}
	for _, text := range append(texts, filepath.Join(b.root, "README.md")) {
		c.add(docs+filepath.Base(text), text, asFile, 0o644, "")
	}
	c.compress(docs+"changelog", filepath.Join(b.root, "CHANGELOG.md"), "")
	c.write(docs+"THIRD-PARTY.txt", c.read(b.generated("THIRD-PARTY.txt")), "")
	c.write("/usr/share/licenses/clu-ws/LICENSE", c.read(filepath.Join(b.root, "LICENSE")), "rpm")
	c.write(docs+"copyright", b.copyright(c.read(filepath.Join(b.root, "LICENSE"))), "deb")
	log, err := compressed([]byte(b.debianChangelog()))
	if err != nil {
		return nil, err
	}
	c.write(docs+"changelog.Debian.gz", log, "deb")
	c.add("/usr/share/lintian/overrides/clu-ws", filepath.Join(b.root, "packaging", "lintian-overrides"), asFile, 0o644, "deb")
	return c.all, c.err
}

// debCompression returns the best that every dpkg reads, or a fast one for tests.
func (b *builder) debCompression() string {
	if b.quick {
		return "gzip"
	}
	return "xz"
}

func (c *packageContents) read(file string) []byte {
	text, err := os.ReadFile(file)
	if err != nil {
		c.err = err
	}
	return text
}

var unitIntro = regexp.MustCompile(`^(#.*\n)+`)

const (
	unitProgram = "/usr/local/bin/clu-ws"
	unitConfig  = "--config /etc/clu-ws/clu-ws.yaml"
)

// unit returns a unit for packages: its introduction is about copying it.
func (b *builder) unit(name string) ([]byte, error) {
	content, err := os.ReadFile(filepath.Join(b.root, "docs", "systemd", name))
	if err != nil {
		return nil, err
	}
	text := unitIntro.ReplaceAllString(string(content), "# The service of the package clu-ws; see /usr/share/doc/clu-ws/installing.md. Write changes with\n# systemctl edit clu-ws, as an upgrade replaces this file.\n")
	text = strings.ReplaceAll(text, unitProgram, "/usr/bin/clu-ws")
	if strings.HasSuffix(name, ".service") {
		if !strings.Contains(text, "ExecStart=/usr/bin/clu-ws websocket") {
			return nil, fmt.Errorf("docs/systemd/%s does not start %s", name, unitProgram)
		}
		if !strings.Contains(text, unitConfig) {
			text = strings.ReplaceAll(text, "ExecStart=/usr/bin/clu-ws websocket", "ExecStart=/usr/bin/clu-ws websocket "+unitConfig)
		}
	}
	return []byte(text), nil
}

// copyright returns the file about the licence, in Debian's form.
func (b *builder) copyright(licence []byte) []byte {
	var text strings.Builder
	text.WriteString("Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: clu-ws\nSource: https://github.com/clu-ws/clu-ws\n" +
		"Comment: The licences of the libraries in the program are in THIRD-PARTY.txt.\n\nFiles: *\n")
	about, terms, _ := strings.Cut(strings.TrimSpace(string(licence)), "\n\n")
	owner, terms, _ := strings.Cut(terms, "\n")
	fmt.Fprintf(&text, "Copyright: %s\nLicense: BSD-3-Clause\n %s\n", strings.TrimPrefix(owner, "Copyright (c) "), about)
	for line := range strings.Lines(terms) {
		if line = strings.TrimSpace(line); line == "" {
			line = "."
		}
		text.WriteString(" " + line + "\n")
	}
	return []byte(text.String())
}

// debianChangelog returns the changes of the package itself.
func (b *builder) debianChangelog() string {
	return fmt.Sprintf("clu-ws (%s-1) unstable; urgency=medium\n\n  * What has changed in the program is in changelog.gz.\n\n -- The clu-ws developers <clu-ws@users.noreply.github.com>  %s\n",
		b.fullVersion(), b.date.Format(time.RFC1123Z))
}
