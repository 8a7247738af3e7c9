package main

import (
	"encoding/json"
	"fmt"
	"html"
	"regexp"
	"strconv"
)

// A film is what the watchlist keeps.
type film struct {
	ID       string
	Title    string
	Year     int
	Plot     string
	Genres   []string
	Director string
	Rating   float64
}

// A description is the schema.org/Movie that a film's page holds for search engines. It outlives
// redesigns of the page, which is why it is read instead of the page's own markup.
type description struct {
	Type     string    `json:"@type"`
	Name     string    `json:"name"`
	Date     string    `json:"datePublished"`
	Plot     string    `json:"description"`
	Genres   oneOrMany `json:"genre"`
	Director people    `json:"director"`
	Rating   struct {
		Value json.Number `json:"ratingValue"`
	} `json:"aggregateRating"`
}

var scripts = regexp.MustCompile(
	`(?is)<script[^>]*\btype\s*=\s*["']?application/ld\+json\b[^>]*>(.*?)</script>`)

// parse finds the film in its page.
func parse(id string, page []byte) (film, error) {
	for _, script := range scripts.FindAllSubmatch(page, -1) {
		var found description
		if json.Unmarshal(script[1], &found) == nil && found.Type == "Movie" {
			return found.film(id)
		}
	}
	return film{}, fmt.Errorf("the page of %s describes no film", id)
}

func (d description) film(id string) (film, error) {
	if d.Name == "" || len(d.Date) < 4 {
		return film{}, fmt.Errorf("the page of %s tells no title or no date", id)
	}
	year, err := strconv.Atoi(d.Date[:4])
	if err != nil {
		return film{}, fmt.Errorf("the page of %s tells the date %q", id, d.Date)
	}
	rating, _ := d.Rating.Value.Float64() // a film that nobody rated has none
	result := film{
		ID:     id,
		Title:  html.UnescapeString(d.Name),
		Year:   year,
		Plot:   html.UnescapeString(d.Plot),
		Genres: d.Genres,
		Rating: rating,
	}
	if len(d.Director) > 0 {
		result.Director = html.UnescapeString(d.Director[0].Name)
	}
	return result, nil
}

// A oneOrMany is a text or a list of texts: schema.org allows both.
type oneOrMany []string

func (o *oneOrMany) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*o = oneOrMany{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(o))
}

type person struct {
	Name string `json:"name"`
}

// people are a person or a list of persons.
type people []person

func (p *people) UnmarshalJSON(data []byte) error {
	var one person
	if json.Unmarshal(data, &one) == nil {
		*p = people{one}
		return nil
	}
	return json.Unmarshal(data, (*[]person)(p))
}
