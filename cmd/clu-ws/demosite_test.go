package main

import (
	"testing"

	"github.com/clu-ws/clu-ws/bridge/site"
)

func TestTheSiteOfTheDemoIsRight(t *testing.T) {
	if _, err := site.Compile(demoSite()); err != nil {
		t.Error(err)
	}
}
