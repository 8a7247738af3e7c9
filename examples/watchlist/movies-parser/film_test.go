package main

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

func metropolis(t *testing.T) []byte {
	t.Helper()
	page, err := os.ReadFile("testdata/metropolis.html")
	if err != nil {
		t.Fatal(err)
	}
	return page
}

func TestAPageTellsItsFilm(t *testing.T) {
	got, err := parse("tt0017136", metropolis(t))
	want := film{
		ID:       "tt0017136",
		Title:    "Metropolis",
		Year:     1927,
		Plot:     "In a city of towers, the master's son meets those who keep it running.",
		Genres:   []string{"Drama", "Sci-Fi"},
		Director: "Fritz Lang",
		Rating:   8.3,
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestOneGenreAndOneDirectorNeedNoList(t *testing.T) {
	page := `<SCRIPT nonce=x type='application/ld+json'>{"@type":"Movie","name":"M","datePublished":"1931",
		"genre":"Crime","director":{"name":"Fritz Lang"}}</SCRIPT>`
	got, err := parse("tt0022100", []byte(page))
	if err != nil || got.Director != "Fritz Lang" || !reflect.DeepEqual(got.Genres, []string{"Crime"}) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestAPageWithoutAFilmIsRefused(t *testing.T) {
	pages := map[string]string{
		"empty":       "",
		"not a movie": `<script type="application/ld+json">{"@type":"Person","name":"x"}</script>`,
		"not JSON":    `<script type="application/ld+json">{</script>`,
		"no title":    `<script type="application/ld+json">{"@type":"Movie","datePublished":"1931"}</script>`,
		"no date":     `<script type="application/ld+json">{"@type":"Movie","name":"M"}</script>`,
		"bad date":    `<script type="application/ld+json">{"@type":"Movie","name":"M","datePublished":"soon"}</script>`,
	}
	for name, page := range pages {
		t.Run(name, func(t *testing.T) {
			if got, err := parse("tt0022100", []byte(page)); err == nil {
				t.Errorf("got %+v", got)
			} else if !strings.Contains(err.Error(), "tt0022100") {
				t.Errorf("the error does not name the film: %v", err)
			}
		})
	}
}
