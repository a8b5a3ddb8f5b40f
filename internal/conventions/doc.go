// Package conventions holds the repository to its own rules, those that a machine can check. It has tests only:
//
//	every file ──┬─ size: no file over 400 lines, no function over 60, half of the Go files under 130
//	             ├─ words: the private words of earlier versions do not come back
//	             └─ *.md: every relative link leads to a file, every anchor to a heading; files named there exist
//	                      what a page quotes is in the source, and what it runs exists; the README's Go compiles
//	every folder ─── doc.go: each package explains itself, and the files that it names exist
//
// CONTRIBUTING.md has the rules that only a reader can check.
package conventions
