package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"reflect"
	"testing"
)

func TestMain(m *testing.M) {
	log.SetOutput(io.Discard)
	os.Exit(m.Run())
}

type library map[string][]byte

func (l library) get(_ context.Context, id string) ([]byte, error) {
	if page, ok := l[id]; ok {
		return page, nil
	}
	return nil, errors.New("no such page")
}

type shelf struct {
	films []film
	full  bool
}

func (s *shelf) put(_ context.Context, film film) error {
	if s.full {
		return errors.New("full")
	}
	s.films = append(s.films, film)
	return nil
}

func batch(bodies ...string) []byte {
	records := ""
	for i, body := range bodies {
		if i > 0 {
			records += ","
		}
		records += fmt.Sprintf(`{"messageId":"m%d","body":%q}`, i, body)
	}
	return []byte(`{"Records":[` + records + `]}`)
}

func TestEachFilmOfABatchIsKept(t *testing.T) {
	shelf := &shelf{}
	parser := parser{library{"tt0017136": metropolis(t)}, shelf}
	got, err := parser.handle(context.Background(), batch(`{"id":"tt0017136","title":"Metropolis"}`))
	if err != nil || len(got.(answer).Failures) != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
	if len(shelf.films) != 1 || shelf.films[0].Title != "Metropolis" {
		t.Errorf("kept %+v", shelf.films)
	}
}

func TestOnlyWhatFailedIsDeliveredAgain(t *testing.T) {
	shelf := &shelf{}
	parser := parser{library{"tt0017136": metropolis(t), "tt0000001": []byte("nothing")}, shelf}
	bodies := []string{
		`not JSON`,
		`{"id":"tt0017136"}`,
		`{"id":"../../etc"}`,
		`{"id":"tt0000001"}`,
		`{"id":"tt0000002"}`,
	}
	got, err := parser.handle(context.Background(), batch(bodies...))
	want := answer{[]failure{{"m0"}, {"m2"}, {"m3"}, {"m4"}}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	if len(shelf.films) != 1 {
		t.Errorf("kept %+v", shelf.films)
	}
}

func TestAFilmThatCouldNotBeKeptIsDeliveredAgain(t *testing.T) {
	parser := parser{library{"tt0017136": metropolis(t)}, &shelf{full: true}}
	got, _ := parser.handle(context.Background(), batch(`{"id":"tt0017136"}`))
	if !reflect.DeepEqual(got, answer{[]failure{{"m0"}}}) {
		t.Errorf("got %+v", got)
	}
}

func TestAnEventThatIsNoBatchFails(t *testing.T) {
	if _, err := (&parser{}).handle(context.Background(), []byte(`[1]`)); err == nil {
		t.Error("no error")
	}
}
