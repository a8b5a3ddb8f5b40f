// Command typecheck says whether the module compiles for other systems, tests included: typecheck GOOS/GOARCH...
//
// It checks the types of all packages from their source, which finds what does not compile and makes no code, as nobody would run
// it. With an empty cache of builds, seven systems take a minute of processor time; compiling for them takes eight, most of them
// for the standard library.
package main
