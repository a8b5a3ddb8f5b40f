// Command typecheck says whether the module compiles for other systems, tests included: typecheck GOOS/GOARCH...
//
// It reads the types of all packages from their source. What it finds is what a compiler would, whose code nobody runs: on a
// machine whose cache of builds is empty, seven systems take a minute of processor time this way and eight the other, most
// of it for the standard library.
package main
