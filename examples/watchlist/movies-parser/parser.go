package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"regexp"
)

// An event is what SQS hands to Lambda.
type event struct {
	Records []message `json:"Records"`
}

// A message names one film, as movies-loader sends it.
type message struct {
	ID   string `json:"messageId"`
	Body string `json:"body"`
}

// An answer tells SQS which messages to deliver again; it removes the others.
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
type answer struct {
	Failures []failure `json:"batchItemFailures"`
}

type failure struct {
	Message string `json:"itemIdentifier"`
}

// A parser turns messages into films.
type parser struct {
	pages interface {
		get(ctx context.Context, id string) ([]byte, error)
	}
	films interface {
		put(ctx context.Context, film film) error
	}
}

// filmID is what may stand in a page's address.
var filmID = regexp.MustCompile(`^tt[0-9]{7,10}$`)

// handle takes one batch; a film that can't be had does not hold up the others.
func (p *parser) handle(ctx context.Context, payload []byte) (any, error) {
	var batch event
	if err := json.Unmarshal(payload, &batch); err != nil {
		return nil, fmt.Errorf("the event is not from SQS: %w", err)
	}
	result := answer{Failures: []failure{}}
	for _, message := range batch.Records {
		if err := p.take(ctx, message.Body); err != nil {
			log.Printf("message %s: %v", message.ID, err)
			result.Failures = append(result.Failures, failure{message.ID})
		}
	}
	return result, nil
}

func (p *parser) take(ctx context.Context, body string) error {
	var wanted struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal([]byte(body), &wanted); err != nil || !filmID.MatchString(wanted.ID) {
		return fmt.Errorf("names no film: %.100q", body)
	}
	page, err := p.pages.get(ctx, wanted.ID)
	if err != nil {
		return err
	}
	film, err := parse(wanted.ID, page)
	if err != nil {
		return err
	}
	return p.films.put(ctx, film)
}
