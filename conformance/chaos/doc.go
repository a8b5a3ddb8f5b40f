// Package chaos runs a client behind a network that fails at random, and judges what it shows: no reply is missing, none
// comes twice, no command is sent twice, and each has one end that is true.
package chaos
