// Package python holds the tests that build the Python client, install it, and let it talk to a bridge. The client itself
// is in src, and its own tests are in tests.
package python
