package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// postCommand sends a command to the actor echo over HTTP, and returns the status and the body of the response.
func postCommand(admin, id string, query ...string) string {
	return postCommandTo(admin, "echo", "x", id, query...)
}

// postCommandTo is postCommand to any actor. Without an id, the bridge makes one.
func postCommandTo(admin, consumer, commandString, id string, query ...string) string {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
	body, err := json.Marshal(map[string]string{"consumer": consumer, "command_string": commandString, "command_id": id})
	if err != nil {
		return err.Error()
	}
	resp, err := client.Post("http://"+admin+"/api/command"+strings.Join(query, ""), "application/json", bytes.NewReader(body))
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprint(resp.StatusCode, " ", string(text))
}
