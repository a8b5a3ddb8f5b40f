// Package filewatch notices that files have changed and are complete.
//
// A file counts as changed if its time, its size or the file itself differs, so that renaming,
// and changing a symbolic link as Kubernetes does, count too. It counts as complete once it was
// the same at two looks in a row: many editors and cp first empty a file and then write it.
package filewatch
