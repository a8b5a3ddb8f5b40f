// Package quote quotes the beginning of untrusted text in errors, so that an error is not
// longer than the message that caused it.
package quote
