package access

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// outcome is what the application says, if it says something.
type outcome int

const (
	unknown outcome = iota // the zero value: whatever has not said yes is not yes
	yes
	no
)

// result is the outcome of a question.
type result struct {
	outcome outcome
	answer  answer
	retry   time.Duration // of unknown, if the application sends Retry-After
}

// reason returns the application's words for a no, or others if it has none.
func (r result) reason(otherwise string) string {
	if r.answer.error != "" {
		return r.answer.error
	}
	return otherwise
}

// holdMax is how long an application is left alone at most, however long it wants to be.
const holdMax = 5 * time.Minute

// send asks a question when there is a slot, for which it waits no longer than for an answer.
func (c *callback) send(ctx context.Context, q question) result {
	if wait := c.hold.until(c.now()); wait > 0 {
		return result{outcome: unknown, retry: wait}
	}
	if err := c.takeFrom(ctx, c.slots); err != nil {
		return result{outcome: unknown}
	}
	defer c.slots.give()
	if wait := c.hold.until(c.now()); wait > 0 { // since others were answered
		return result{outcome: unknown, retry: wait}
	}
	if !c.health.mayAsk(c.now()) {
		return result{outcome: unknown}
	}
	timed, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	r, err := c.exchange(timed, q)
	if err == nil || ctx.Err() == nil { // a client that has gone, or waits less, is not the application's fault
		c.health.note(c, err)
	}
	return r
}

// downError says that there is no application to answer. What it answers to one question, however
// wrong, says nothing about others: a ticket that makes it fail must not keep others out.
type downError struct{ error }

// takeFrom waits for a slot.
func (c *callback) takeFrom(ctx context.Context, s *slots) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	return s.take(ctx)
}

// exchange sends a request and reads the answer. An error says why the outcome is unknown.
func (c *callback) exchange(ctx context.Context, q question) (result, error) {
	request, err := c.request(ctx, q)
	if err != nil {
		return result{}, err
	}
	response, err := c.client.Do(request)
	if err != nil {
		return result{}, downError{withoutURL(err)}
	}
	defer response.Body.Close()
	body, err := readBounded(response.Body, answerMaxSize)
	switch {
	case errors.Is(err, errTooLong):
		return result{}, err
	case err != nil:
		return result{}, downError{err}
	case q.event && response.StatusCode >= 200 && response.StatusCode < 300:
		return result{outcome: yes}, nil
	}
	return c.classify(q, response.StatusCode, response.Header, body)
}

// classify says what an answer means. In style proxy a session may be answered without a status, as
// by nginx's auth_request; all else needs one.
func (c *callback) classify(q question, status int, header http.Header, body []byte) (result, error) {
	said, wrong := parseAnswer(body)
	said.error = presentable(q.hide(said.error))
	success, bareDoes := status >= 200 && status < 300, q.method == http.MethodGet
	switch {
	case status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable:
		wait := retryAfter(header, c.now())
		if wait == 0 && status == http.StatusTooManyRequests {
			wait = time.Second
		}
		c.hold.extend(c.now().Add(wait))
		return result{retry: wait}, downError{fmt.Errorf("it answers with status %d", status)}
	case status == http.StatusBadGateway || status == http.StatusGatewayTimeout:
		return result{}, downError{fmt.Errorf("it answers with status %d", status)}
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return result{outcome: no, answer: answer{error: said.error}}, nil
	case success && wrong == nil && (said.status != "" || bareDoes):
		if said.status == "" || said.status == "ok" {
			return result{outcome: yes, answer: said}, nil
		}
		return result{outcome: no, answer: said}, nil
	case success && bareDoes && bare(status, header, body):
		return result{outcome: yes, answer: answer{name: userField(header)}}, nil
	case status >= 400 && status < 500 && wrong == nil && said.status != "" && said.status != "ok":
		return result{outcome: no, answer: said}, nil
	case !success:
		return result{}, fmt.Errorf("it answers with status %d", status)
	case wrong == nil:
		return result{}, errors.New(`its answer has no "status"`)
	}
	return result{}, wrong
}

// userFields are where applications that answer nginx's auth_request name the user.
var userFields = []string{"X-Auth-Request-User", "Remote-User", "X-Remote-User"}

func userField(header http.Header) string {
	for _, name := range userFields {
		if value := header.Get(name); value != "" {
			return value
		}
	}
	return ""
}

// bare reports whether an answer without JSON is one of an application for nginx's auth_request,
// which looks at the status only. A page with status 200 may be the form to sign in with, so such
// an answer must have no body, name the user, or be "accepted".
func bare(status int, header http.Header, body []byte) bool {
	return status == http.StatusAccepted || status == http.StatusNoContent || len(body) == 0 || userField(header) != ""
}

// retryAfter returns how long an application wants to be left alone, or zero.
func retryAfter(header http.Header, now time.Time) time.Duration {
	for _, name := range []string{"Retry-After", "X-Rate-Limit-Reset"} { // the second is SocketShark's
		value := header.Get(name)
		if seconds, err := strconv.ParseFloat(value, 64); err == nil && seconds > 0 {
			return time.Duration(min(seconds, holdMax.Seconds()) * float64(time.Second))
		}
		if at, err := http.ParseTime(value); err == nil && at.After(now) {
			return min(at.Sub(now), holdMax)
		}
	}
	return 0
}
