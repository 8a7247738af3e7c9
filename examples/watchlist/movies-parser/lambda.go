package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"
)

// This file is all of AWS's runtime API that a function needs:
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
// AWS's own module, github.com/aws/aws-lambda-go, does the same and more. It would be this
// function's only download; without it the function builds where nothing can be downloaded.

// A handler answers one event; what it returns becomes JSON.
type handler func(ctx context.Context, payload []byte) (any, error)

// serve answers events one after the other, and returns only when Lambda is out of reach.
func serve(address string, handle handler) error {
	base := "http://" + address + "/2018-06-01/runtime/invocation/"
	client := &http.Client{} // no time limit: Lambda freezes the process until the next event
	for {
		if err := serveOne(client, base, handle); err != nil {
			return err
		}
	}
}

func serveOne(client *http.Client, base string, handle handler) error {
	next, err := client.Get(base + "next")
	if err != nil {
		return fmt.Errorf("no next event: %w", err)
	}
	defer next.Body.Close()
	payload, err := io.ReadAll(next.Body)
	if err != nil || next.StatusCode != http.StatusOK {
		return fmt.Errorf("no next event: %s: %v", next.Status, err)
	}
	// Libraries that trace calls look for it there.
	os.Setenv("_X_AMZN_TRACE_ID", next.Header.Get("Lambda-Runtime-Trace-Id"))
	ctx, cancel := withDeadline(next.Header)
	defer cancel()
	answer, kind := answerTo(ctx, handle, payload)
	address := base + next.Header.Get("Lambda-Runtime-Aws-Request-Id") + "/" + kind
	told, err := client.Post(address, "application/json", bytes.NewReader(answer))
	if err != nil {
		return fmt.Errorf("the answer was not taken: %w", err)
	}
	return told.Body.Close()
}

func withDeadline(header http.Header) (context.Context, context.CancelFunc) {
	milliseconds, err := strconv.ParseInt(header.Get("Lambda-Runtime-Deadline-Ms"), 10, 64)
	if err != nil {
		return context.WithCancel(context.Background())
	}
	return context.WithDeadline(context.Background(), time.UnixMilli(milliseconds))
}

// answerTo gives the answer and where it goes: "response" or "error".
func answerTo(ctx context.Context, handle handler, payload []byte) (answer []byte, kind string) {
	defer func() {
		if broken := recover(); broken != nil {
			answer, kind = fault("panic", fmt.Sprint(broken)), "error"
		}
	}()
	result, err := handle(ctx, payload)
	if err == nil {
		answer, err = json.Marshal(result)
	}
	if err != nil {
		return fault("error", err.Error()), "error"
	}
	return answer, "response"
}

func fault(kind, message string) []byte {
	text, _ := json.Marshal(map[string]string{"errorType": kind, "errorMessage": message})
	return text
}
