// Command scripted plays the cases of the v1 protocol to a client, which a driver controls:
//
//	go run ./conformance/scripted [-run REGEXP] -- PROGRAM ARGUMENTS
package main
