// Package quote quotes untrusted text in errors, and only its beginning: an error must
// not be longer than the message that caused it.
package quote
