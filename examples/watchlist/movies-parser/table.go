package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// A table is a table of DynamoDB.
type table struct {
	client   *http.Client
	name     string
	endpoint string
	signer   signer
	now      func() time.Time
}

// A value is one attribute in DynamoDB's JSON: its type and what it holds.
type value map[string]any

// put writes a film; a second write of the same film replaces the first.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html
func (t *table) put(ctx context.Context, film film) error {
	body, err := json.Marshal(map[string]any{"TableName": t.name, "Item": item(film)})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(
		ctx, http.MethodPost, t.endpoint+"/", bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.0")
	request.Header.Set("X-Amz-Target", "DynamoDB_20120810.PutItem")
	t.signer.sign(request, body, t.now())
	response, err := t.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		why, _ := io.ReadAll(io.LimitReader(response.Body, 1000))
		return fmt.Errorf("DynamoDB refused %s: %s: %s", film.ID, response.Status, why)
	}
	return nil
}

// item is a film as DynamoDB takes it; what is not known is left out.
func item(film film) map[string]value {
	attributes := map[string]value{
		"id":    {"S": film.ID},
		"title": {"S": film.Title},
		"year":  {"N": strconv.Itoa(film.Year)},
	}
	for name, text := range map[string]string{"plot": film.Plot, "director": film.Director} {
		if text != "" {
			attributes[name] = value{"S": text}
		}
	}
	if film.Rating > 0 {
		attributes["rating"] = value{"N": strconv.FormatFloat(film.Rating, 'f', -1, 64)}
	}
	if len(film.Genres) > 0 {
		genres := make([]value, len(film.Genres))
		for i, genre := range film.Genres {
			genres[i] = value{"S": genre}
		}
		attributes["genres"] = value{"L": genres}
	}
	return attributes
}
