// Package configfile reads the configuration file: YAML with a key for each flag, and the
// sections access, dialects and site.
//
//	bytes ──► tree (node.go, parse.go) ──► Settings of flags, access.Config, Dialects, Site (decode.go)
//
// The tree keeps the line and the column of each key and value, so that each error,
// found here or by the user of a value, has its place (errors.go): "clu-ws.yaml:3:7",
// the reason and the line. All errors of a file are reported at once, except that one that is not
// YAML ends at the first. Values that may be secret are never shown (secret.go).
//
// Reading is strict: a file has one document, which is a mapping; a key must be known and occur
// once; a value must have the wanted type. A text may be written without quotes if YAML
// takes it for one; a number where a text is wanted is an error in the sections, and is taken as
// it is written for a flag.
//
// Secrets and files (reference.go) may be given as file:PATH or credential:NAME, a credential of
// systemd. Relative paths are relative to the file's folder.
package configfile
