// Package shlex reads and writes command strings as CLU does, by the rules of Python's shlex.split: words are separated
// by blanks; quotes and backslashes keep a word together; a # is a character like any other.
//
//	lex.go    a line into words, with their places, for completion
//	quote.go  words into a line
package shlex
