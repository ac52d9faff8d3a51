package dpia_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/policy/dpia"
	"sluice/policy/explain"
	"sluice/register"
)

// architecture are the tool's questions and the sorts of their answers (pia_architecture.json of LINCnil/pia).
func architecture() map[int]string {
	out := make(map[int]string)
	for _, to := range []int{111, 112, 113, 121, 122, 123, 211, 212, 213, 214, 215, 221, 222, 223, 224, 225, 226, 227} {
		out[to] = "text"
	}
	for _, risk := range []int{320, 330, 340} { // access, change, disappearance
		for i, sort := range []string{"list", "list", "list", "list", "gauge", "gauge"} {
			out[risk+i+1] = sort
		}
	}
	return out
}

// read are the keys of each part that the tool's import reads (importData, importAnswers, importMeasures of its
// pia.service.ts); it sets pia_id anew, and gives answers another id.
var read = map[string][]string{
	"": {"pia", "answers", "measures", "evaluations", "comments"},
	"pia": {"id", "name", "category", "author_name", "evaluator_name", "validator_name", "dpo_status", "dpo_opinion",
		"dpos_names", "concerned_people_opinion", "concerned_people_status", "concerned_people_searched_opinion",
		"concerned_people_searched_content", "people_names", "rejected_reason", "applied_adjustements", "status",
		"created_at", "updated_at"},
	"answers":  {"id", "pia_id", "reference_to", "data", "created_at", "updated_at"},
	"measures": {"id", "pia_id", "title", "content", "placeholder", "created_at", "updated_at"},
	"data":     {"text", "gauge", "list"},
}

// keys of a part of the file are those that are read, and what must is there.
func keys(t *testing.T, part string, of map[string]any, must ...string) {
	t.Helper()
	for key := range of {
		if !slices.Contains(read[part], key) {
			t.Errorf("nothing reads %q of %q", key, part)
		}
	}
	for _, key := range must {
		if _, there := of[key]; !there {
			t.Errorf("%q of %q is missing", key, part)
		}
	}
}

// TestPIA: the file has what the tool reads, and nothing else: each question once and by its sort, gauges from
// 1 to 4, lists, measures that answers name by their titles, evaluations and comments that are lists.
func TestPIA(t *testing.T) {
	p, questions := city(t, true), architecture()
	for l := range explain.Languages {
		raw, err := dpia.PIA(dpia.Input{Lang: explain.Lang(l), Policy: p, Decisions: all(p),
			Register: &register.Register{}, Answers: parsed(t, answered)},
			time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC))
		if err != nil {
			t.Fatal(err)
		}
		var file map[string]any
		if err := json.Unmarshal(raw, &file); err != nil {
			t.Fatal(err)
		}
		keys(t, "", file, read[""]...)
		for _, list := range []string{"evaluations", "comments"} {
			if list, ok := file[list].([]any); !ok || len(list) != 0 {
				t.Error("the import walks through evaluations and comments: they are lists")
			}
		}
		head := file["pia"].(map[string]any)
		keys(t, "pia", head, "name", "status", "created_at", "author_name", "evaluator_name", "validator_name")
		if head["status"] != 0.0 || head["name"] == "" || head["created_at"] != "2026-11-27T09:00:00.000Z" {
			t.Errorf("%+v", head)
		}
		titles := make(map[string]bool)
		for _, m := range file["measures"].([]any) {
			m := m.(map[string]any)
			keys(t, "measures", m, "id", "title", "content", "created_at")
			titles[m["title"].(string)] = true
		}
		seen := make(map[int]bool)
		for _, a := range file["answers"].([]any) {
			a := a.(map[string]any)
			keys(t, "answers", a, "reference_to", "data", "created_at")
			to, data := int(a["reference_to"].(float64)), a["data"].(map[string]any)
			keys(t, "data", data, read["data"]...)
			if seen[to] || !right(questions[to], data) {
				t.Errorf("%d: %+v", to, data)
			}
			seen[to] = true
			for _, title := range data["list"].([]any) {
				if to%10 == 4 && to > 320 && !titles[title.(string)] {
					t.Errorf("%d names %q, which is no measure", to, title)
				}
			}
		}
		// 113 asks for codes of conduct and 222 to 225 for the city's own words, which these answers lack.
		open := slices.Sorted(maps.Keys(questions))
		open = slices.DeleteFunc(open, func(to int) bool { return seen[to] })
		if !slices.Equal(open, []int{113, 222, 223, 224, 225}) || len(titles) != 5 {
			t.Errorf("left to people: %v; %d measures", open, len(titles))
		}
	}
}

// right reports whether an answer is of the sort that its question asks for.
func right(sort string, data map[string]any) bool {
	text, written := data["text"].(string)
	gauge, graded := data["gauge"].(float64)
	list, listed := data["list"].([]any)
	switch {
	case !listed || strings.Contains(text, "<b>"):
		return false
	case sort == "list":
		return !written && data["text"] == nil && data["gauge"] == nil && len(list) > 0
	case sort == "gauge":
		return written && graded && gauge >= 1 && gauge <= 4 && len(list) == 0
	}
	return sort == "text" && text != "" && data["gauge"] == nil && len(list) == 0
}
