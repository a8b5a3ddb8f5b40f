// Command release makes a release of clu-ws: `make dist`. It builds the program for each
// system, writes what is made from its flags (manual pages, completions, the
// configuration file), and puts these into archives, .deb and .rpm packages and a
// container image, with a bill of materials of each binary and checksums of all.
//
// The same commit gives the same bytes with the same version of Go: every time in the
// files is that of the commit.
package main
