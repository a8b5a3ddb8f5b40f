// Package jararaca is the dialect of Jararaca.
package jararaca
