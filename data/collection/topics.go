package collection

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"unicode/utf8"

	"headroom/internal/gunzip"
)

// isTopics reports, by its name, whether a file holds TREC's topics.
func isTopics(path string) bool {
	name := strings.TrimSuffix(path, ".gz")
	return strings.HasSuffix(name, ".txt") || strings.HasSuffix(name, ".xml") || strings.HasSuffix(name, ".topics")
}

// maxTopics bounds a file of topics, which is read whole: the largest of TREC's has some MB.
const maxTopics = 64 << 20

// readTopics reads TREC's topics, gzipped or not, in the two forms that tracks have used:
//
//	<top> <num> Number: 301  <title> the query  <desc> …  </top>
//	<topics> <topic number="1"> <query>the query</query> …  or <title> </topic> … </topics>
//
// fn gets the topic's number in the file as its line.
func readTopics(file *os.File, path string, first map[string]int, fn func(d Document, line int) error) error {
	packed, err := gunzip.NewReader(file)
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	text, err := io.ReadAll(io.LimitReader(packed, maxTopics+1))
	switch {
	case err != nil:
		return fmt.Errorf("read %s: %w", path, err)
	case len(text) > maxTopics:
		return fmt.Errorf("read %s: larger than the %d MiB of topics allowed", path, maxTopics>>20)
	case !utf8.Valid(text):
		return fmt.Errorf("read %s: it is not UTF-8", path)
	}
	queries, err := topicsOf(string(text))
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	for i, q := range queries {
		err := checkRepeated(first, q.ID, i+1)
		if err == nil {
			err = fn(Document{ID: q.ID, Text: q.Text}, i+1)
		}
		if err != nil {
			return fmt.Errorf("read %s, topic %d: %w", path, i+1, err)
		}
	}
	return nil
}

func topicsOf(text string) ([]Query, error) {
	if strings.Contains(text, "<top>") {
		return plainTopics(text)
	}
	if strings.Contains(text, "<topic ") {
		return xmlTopics(text)
	}
	return nil, errors.New("it has neither <top> with <num> and <title> nor <topic number=…>; queries as id ⇥ text are in a .tsv")
}

var (
	topicNumber = regexp.MustCompile(`<num>\s*(?:Number:)?\s*([^\s<]+)`)
	topicTitle  = regexp.MustCompile(`<title>\s*(?:Topic:)?([^<]*)`)
)

// plainTopics reads the older form, in which only the tag top is closed.
func plainTopics(text string) ([]Query, error) {
	var queries []Query
	for i, part := range strings.Split(text, "<top>")[1:] {
		number, title := topicNumber.FindStringSubmatch(part), topicTitle.FindStringSubmatch(part)
		if number == nil || title == nil {
			return nil, fmt.Errorf("topic %d has no <num> or no <title>", i+1)
		}
		queries = append(queries, Query{ID: number[1], Text: strings.Join(strings.Fields(title[1]), " ")})
	}
	return queries, nil
}

func xmlTopics(text string) ([]Query, error) {
	var file struct {
		Topics []struct {
			Number string  `xml:"number,attr"`
			Query  *string `xml:"query"`
			Title  *string `xml:"title"`
		} `xml:"topic"`
	}
	if err := xml.Unmarshal([]byte(text), &file); err != nil {
		return nil, err
	}
	var queries []Query
	for i, topic := range file.Topics {
		asked := topic.Query
		if asked == nil {
			asked = topic.Title
		}
		if topic.Number == "" || asked == nil {
			return nil, fmt.Errorf("topic %d has no number or neither <query> nor <title>", i+1)
		}
		queries = append(queries, Query{ID: topic.Number, Text: strings.Join(strings.Fields(*asked), " ")})
	}
	if len(queries) == 0 {
		return nil, errors.New("it holds no topic")
	}
	return queries, nil
}
