package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/CycloneDX/cyclonedx-go"
)

// writeBill writes what a binary is made of, as the binary itself says, in CycloneDX.
func (b *builder) writeBill(out string, bin binary) (err error) {
	bill, err := b.bill(bin)
	if err != nil {
		return err
	}
	file, err := os.Create(filepath.Join(out, b.fileName(bin.system+"_"+bin.processor+".cdx.json")))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return cyclonedx.NewBOMEncoder(file, cyclonedx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(bill, cyclonedx.SpecVersion1_6)
}

func (b *builder) bill(bin binary) (*cyclonedx.BOM, error) {
	info, err := buildinfo.ReadFile(bin.path)
	if err != nil {
		return nil, err
	}
	program, err := os.ReadFile(bin.path)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(program)
	page, err := b.plotLibrary()
	if err != nil {
		return nil, err
	}
	components := []cyclonedx.Component{page, goComponent("std", strings.TrimPrefix(info.GoVersion, "go"))}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		components = append(components, goComponent(m.Path, m.Version))
	}
	bill := cyclonedx.NewBOM()
	// The same binary has the same number.
	bill.SerialNumber = uuid(sum)
	bill.Metadata = &cyclonedx.Metadata{
		Timestamp: b.date.Format(time.RFC3339),
		Component: &cyclonedx.Component{
			BOMRef: "clu-ws", Type: cyclonedx.ComponentTypeApplication, Name: "clu-ws", Version: b.fullVersion(),
			PackageURL: "pkg:golang/" + info.Main.Path + "@v" + b.fullVersion(),
			Licenses:   &cyclonedx.Licenses{{License: &cyclonedx.License{ID: "BSD-3-Clause"}}},
			Hashes:     &[]cyclonedx.Hash{{Algorithm: cyclonedx.HashAlgoSHA256, Value: fmt.Sprintf("%x", sum)}},
			Properties: &[]cyclonedx.Property{{Name: "commit", Value: b.commit + b.changes()}, {Name: "system", Value: bin.system + "/" + bin.processor}},
		},
	}
	bill.Components = &components
	var refs []string
	for _, c := range components {
		refs = append(refs, c.BOMRef)
	}
	bill.Dependencies = &[]cyclonedx.Dependency{{Ref: "clu-ws", Dependencies: &refs}}
	return bill, nil
}

// uuid returns a number in the form of UUID version 8, whose content is free.
func uuid(sum [sha256.Size]byte) string {
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", sum[0:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

func goComponent(path, version string) cyclonedx.Component {
	name := "pkg:golang/" + path + "@" + version
	return cyclonedx.Component{BOMRef: name, Type: cyclonedx.ComponentTypeLibrary, Name: path, Version: version, PackageURL: name}
}

var plotVersion = regexp.MustCompile(`\d+\.\d+\.\d+`)

// plotLibrary returns what is in the page and is not Go.
func (b *builder) plotLibrary() (cyclonedx.Component, error) {
	file := filepath.Join(b.root, "web-demo", "page", "libraries", "uplot", "README.md")
	text, err := os.ReadFile(file)
	version := plotVersion.FindString(string(text))
	if err == nil && version == "" {
		err = fmt.Errorf("%s says no version", file)
	}
	name := "pkg:npm/uplot@" + version
	return cyclonedx.Component{
		BOMRef: name, Type: cyclonedx.ComponentTypeLibrary, Name: "uplot", Version: version, PackageURL: name,
		Licenses: &cyclonedx.Licenses{{License: &cyclonedx.License{ID: "MIT"}}},
	}, err
}
