package replay

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func readText(t *testing.T, name, text, mapping, layout, zone string) ([]Row, int) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	m, err := ParseMapping(mapping, layout, zone)
	if err != nil {
		t.Fatal(err)
	}
	rows, bad, err := Read(path, m)
	if err != nil {
		t.Fatal(err)
	}
	return rows, bad
}

func TestCSV(t *testing.T) {
	rows, bad := readText(t, "x.csv", "\ufeffdate,hour,Name,n,note\n5/2/2019,1,\"Old  Town, "+
		"2\",\"1,105\",x\n5/2/2019,0,b,NA,7\n?,0,b,1,1\n5/2/2019,2,c,,\n",
		"ts=date+hour,sensor=Name,field.n=n,field.note=note:string", "1/2/2006 15", "Australia/Melbourne")
	want := "[{2019-05-01 14:00:00 +0000 UTC  b map[note:7]} {2019-05-01 15:00:00 +0000 UTC  old-town-2 map[n:1105 " +
		"note:x]}]"
	if got := fmt.Sprint(rows); got != want || bad != 2 {
		t.Errorf("got %s and %d bad; want %s and 2", got, bad, want)
	}
}

func TestLines(t *testing.T) {
	rows, bad := readText(t, "x.jsonl",
		"{\"at\":1772445600000,\"id\":5,\"v\":1.5,\"ok\":true,\"who\":580}\nnonsense\n{\"at\":\"x\",\"id\":1}\n",
		"ts=at,sensor=id,field.v=v,field.ok=ok:bool,field.who=who:string", "unixms", "UTC")
	if got := fmt.Sprintf("%v", rows); got != "[{2026-03-02 10:00:00 +0000 UTC  5 map[ok:true v:1.5 who:580]}]" ||
		bad != 2 {
		t.Errorf("got %s and %d bad", got, bad)
	}
	if _, ok := rows[0].Fields["who"].(string); !ok {
		t.Error(":string must keep an identifier a text")
	}
}

func TestBadMappings(t *testing.T) {
	for _, m := range []string{"", "ts=a", "ts=a,sensor=b", "ts=a,sensor=b,field.=c", "ts=a,sensor=b,what=c",
		"ts,sensor=b,field.x=c"} {
		if _, err := ParseMapping(m, "unix", "UTC"); err == nil {
			t.Errorf("%q was taken", m)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("a,b,c\n1,2,3\n", "ts=a,sensor=b,field.x=c")
	f.Fuzz(func(t *testing.T, text, mapping string) {
		m, err := ParseMapping(mapping, "unix", "UTC")
		if err != nil {
			return
		}
		path := filepath.Join(t.TempDir(), "x.csv")
		if os.WriteFile(path, []byte(text), 0o644) == nil {
			_, _, _ = Read(path, m)
		}
	})
}

func TestGuessedTimesAndSensors(t *testing.T) {
	for _, at := range []string{"2026-03-02T10:00:00Z", "1772445600", "1772445600.0", "1772445600000",
		"1772445600000000000", "2026-03-02 10:00:00", "2026-03-02T11:00:00+01:00"} {
		rows, bad := readText(t, "x.csv", "ts,s,v\n"+at+",acme/A_1,1\n"+at+",A_1,1\n"+at+",Old Town,1\n",
			"ts=ts,sensor=s,field.v=v", "auto", "UTC")
		if got := fmt.Sprint(rows, bad); got != "[{2026-03-02 10:00:00 +0000 UTC acme A_1 map[v:1]} {2026-03-02 "+
			"10:00:00 +0000 UTC  A_1 map[v:1]} {2026-03-02 10:00:00 +0000 UTC  old-town map[v:1]}] 0" {
			t.Errorf("%s gives %s", at, got)
		}
	}
}
