// Command bootstrap is the watchlist's Lambda function MoviesParser: it reads the page of each film
// that a queue names and keeps what it says in a table.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"time"
)

// patience is how long one page or one write to the table may take.
const patience = 10 * time.Second

func main() {
	log.SetFlags(0) // Lambda adds the time
	parser, err := wire(os.Getenv)
	if err == nil {
		err = serve(os.Getenv("AWS_LAMBDA_RUNTIME_API"), parser.handle)
	}
	log.Fatal(err)
}

// wire makes the parser out of environment variables.
func wire(getenv func(string) string) (*parser, error) {
	for _, name := range []string{"PAGES_URL", "TABLE_NAME", "AWS_REGION"} {
		if getenv(name) == "" {
			return nil, fmt.Errorf("the variable %s is missing", name)
		}
	}
	client := &http.Client{Timeout: patience}
	return &parser{
		pages: pages{client: client, url: getenv("PAGES_URL")},
		films: &table{
			client:   client,
			name:     getenv("TABLE_NAME"),
			endpoint: endpoint(getenv),
			signer: signer{
				key:     getenv("AWS_ACCESS_KEY_ID"),
				secret:  getenv("AWS_SECRET_ACCESS_KEY"),
				session: getenv("AWS_SESSION_TOKEN"),
				region:  getenv("AWS_REGION"),
				service: "dynamodb",
			},
			now: time.Now,
		},
	}, nil
}

// endpoint is where DynamoDB answers, by the variables that AWS's own SDKs obey.
func endpoint(getenv func(string) string) string {
	for _, name := range []string{"AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL"} {
		if url := getenv(name); url != "" {
			return url
		}
	}
	return "https://dynamodb." + getenv("AWS_REGION") + ".amazonaws.com"
}
