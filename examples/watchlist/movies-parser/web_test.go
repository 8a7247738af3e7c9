package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"
)

// exchange is one request as a server saw it.
type exchange struct {
	request *http.Request
	body    string
}

// answering is a server that answers everything alike and remembers what it was asked.
func answering(t *testing.T, status int, body string) (*httptest.Server, *[]exchange) {
	t.Helper()
	seen := &[]exchange{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, _ := io.ReadAll(r.Body)
		*seen = append(*seen, exchange{r, string(got)})
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	return server, seen
}

func TestAPageIsFetchedByItsFilm(t *testing.T) {
	server, seen := answering(t, 200, "the page")
	page, err := pages{server.Client(), server.URL + "/title/{id}/"}.get(context.Background(), "tt1")
	if err != nil || string(page) != "the page" {
		t.Errorf("got %q, %v", page, err)
	}
	if path := (*seen)[0].request.URL.Path; path != "/title/tt1/" {
		t.Errorf("asked for %s", path)
	}
}

func TestAPageThatIsNotThereIsAnError(t *testing.T) {
	server, _ := answering(t, 404, "")
	_, err := pages{server.Client(), server.URL}.get(context.Background(), "tt1")
	if err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("got %v", err)
	}
}

func TestAPageWithoutEndIsAnError(t *testing.T) {
	server, _ := answering(t, 200, strings.Repeat("x", largest+1))
	if _, err := (pages{server.Client(), server.URL}).get(context.Background(), "tt1"); err == nil {
		t.Error("no error")
	}
}

func TestAFilmIsPut(t *testing.T) {
	server, seen := answering(t, 200, "{}")
	kept := film{ID: "tt1", Title: "M", Year: 1931, Genres: []string{"Crime"}, Rating: 8.3}
	table := table{server.Client(), "films", server.URL, signer{key: "k"}, time.Now}
	if err := table.put(context.Background(), kept); err != nil {
		t.Fatal(err)
	}
	var got, want any
	_ = json.Unmarshal([]byte((*seen)[0].body), &got)
	_ = json.Unmarshal([]byte(`{"TableName":"films","Item":{"id":{"S":"tt1"},"title":{"S":"M"},
		"year":{"N":"1931"},"genres":{"L":[{"S":"Crime"}]},"rating":{"N":"8.3"}}}`), &want)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("sent %v", got)
	}
	header := (*seen)[0].request.Header
	if header.Get("X-Amz-Target") != "DynamoDB_20120810.PutItem" || header.Get("Authorization") == "" {
		t.Errorf("sent %v", header)
	}
}

func TestARefusalTellsWhy(t *testing.T) {
	server, _ := answering(t, 400, `{"__type":"ResourceNotFoundException"}`)
	table := table{server.Client(), "films", server.URL, signer{}, time.Now}
	err := table.put(context.Background(), film{ID: "tt1"})
	if err == nil || !strings.Contains(err.Error(), "ResourceNotFoundException") {
		t.Errorf("got %v", err)
	}
}

// The request "post-vanilla" of AWS's test suite for Signature Version 4, with its answer.
func TestTheSignatureIsAWSs(t *testing.T) {
	signer := signer{
		key:     "AKIDEXAMPLE",
		secret:  "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
		region:  "us-east-1",
		service: "service",
	}
	request := httptest.NewRequest(http.MethodPost, "https://example.amazonaws.com/", nil)
	signer.sign(request, nil, time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC))
	want := "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, " +
		"SignedHeaders=host;x-amz-date, " +
		"Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
	if got := request.Header.Get("Authorization"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestASessionIsSigned(t *testing.T) {
	request := httptest.NewRequest(http.MethodPost, "https://example.amazonaws.com/", nil)
	signer{session: "token"}.sign(request, nil, time.Now())
	if !strings.Contains(request.Header.Get("Authorization"), "x-amz-security-token") {
		t.Error("the session's token is not signed")
	}
}

func TestVariables(t *testing.T) {
	all := map[string]string{"PAGES_URL": "p", "TABLE_NAME": "t", "AWS_REGION": "eu-west-3"}
	if got := endpoint(func(name string) string { return all[name] }); got != "https://dynamodb.eu-west-3.amazonaws.com" {
		t.Errorf("got %s", got)
	}
	for missing := range all {
		_, err := wire(func(name string) string {
			if name == missing {
				return ""
			}
			return all[name]
		})
		if err == nil || !strings.Contains(err.Error(), missing) {
			t.Errorf("without %s: %v", missing, err)
		}
	}
}
