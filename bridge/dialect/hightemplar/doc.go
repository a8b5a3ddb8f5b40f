// Package hightemplar is the dialect of High-templar.
package hightemplar
