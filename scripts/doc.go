// Package scripts has tests of the scripts beside it, which the Makefile runs: of what need-go.sh says on a machine that
// cannot build the program. It has no code.
package scripts
