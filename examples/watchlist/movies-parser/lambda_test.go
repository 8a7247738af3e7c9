package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"
)

// invocations is Lambda's side: it hands out events and hangs up after the last one.
func invocations(t *testing.T, events ...string) (address string, answers *[]string) {
	t.Helper()
	answers = &[]string{}
	given := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/next") {
			body, _ := io.ReadAll(r.Body)
			path := strings.TrimPrefix(r.URL.Path, "/2018-06-01/runtime/invocation/")
			*answers = append(*answers, path+" "+string(body))
			w.WriteHeader(http.StatusAccepted)
			return
		}
		if given == len(events) {
			w.WriteHeader(http.StatusGone)
			return
		}
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", "r"+string(rune('0'+given)))
		w.Header().Set("Lambda-Runtime-Deadline-Ms", "32503680000000")
		_, _ = io.WriteString(w, events[given])
		given++
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://"), answers
}

func TestEventsAreAnsweredInTurn(t *testing.T) {
	address, answers := invocations(t, "one", "fails", "breaks", "strange", "two")
	err := serve(address, func(ctx context.Context, payload []byte) (any, error) {
		if _, ok := ctx.Deadline(); !ok {
			t.Error("no deadline")
		}
		switch string(payload) {
		case "fails":
			return nil, errors.New("no luck")
		case "breaks":
			panic("broken")
		case "strange":
			return func() {}, nil
		}
		return map[string]string{"got": string(payload)}, nil
	})
	want := []string{
		`r0/response {"got":"one"}`,
		`r1/error {"errorMessage":"no luck","errorType":"error"}`,
		`r2/error {"errorMessage":"broken","errorType":"panic"}`,
		`r3/error {"errorMessage":"json: unsupported type: func()","errorType":"error"}`,
		`r4/response {"got":"two"}`,
	}
	if !reflect.DeepEqual(*answers, want) {
		t.Errorf("answered %q", *answers)
	}
	if err == nil || !strings.Contains(err.Error(), "410") {
		t.Errorf("ended with %v", err)
	}
}

func TestLambdaOutOfReachIsAnError(t *testing.T) {
	if err := serve("127.0.0.1:1", nil); err == nil {
		t.Error("no error")
	}
}

func TestTheDeadlineIsLambdas(t *testing.T) {
	ctx, cancel := withDeadline(http.Header{"Lambda-Runtime-Deadline-Ms": {"1000"}})
	defer cancel()
	if at, _ := ctx.Deadline(); !at.Equal(time.Unix(1, 0)) {
		t.Errorf("got %v", at)
	}
}
