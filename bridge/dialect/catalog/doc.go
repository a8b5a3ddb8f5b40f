// Package catalog knows all dialects, and how the configuration file names them.
package catalog
