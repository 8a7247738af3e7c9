package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// largest is the size of a page, in bytes, beyond which it is no film's.
const largest = 8 << 20

// pages is the site that has a page for each film.
type pages struct {
	client *http.Client
	url    string // {id} stands for the film's id
}

// get fetches the page of a film.
func (p pages) get(ctx context.Context, id string) ([]byte, error) {
	address := strings.ReplaceAll(p.url, "{id}", url.PathEscape(id))
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("PAGES_URL is no address: %w", err)
	}
	request.Header.Set("Accept", "text/html")
	request.Header.Set("User-Agent", "watchlist-movies-parser")
	response, err := p.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %s", address, response.Status)
	}
	page, err := io.ReadAll(io.LimitReader(response.Body, largest+1))
	if err == nil && len(page) > largest {
		err = fmt.Errorf("%s has more than %d bytes", address, largest)
	}
	return page, err
}
