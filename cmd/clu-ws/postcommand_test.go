package main

import (
	"bytes"
	"context"
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
	return postCommandWith(context.Background(), admin, consumer, commandString, id, query...)
}

// postCommandWith is postCommandTo with the context of the request.
func postCommandWith(ctx context.Context, admin, consumer, commandString, id string, query ...string) string {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
	body, err := json.Marshal(map[string]string{"consumer": consumer, "command_string": commandString, "command_id": id})
	if err != nil {
		return err.Error()
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+admin+"/api/command"+strings.Join(query, ""), bytes.NewReader(body))
	if err != nil {
		return err.Error()
	}
	request.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(request)
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
