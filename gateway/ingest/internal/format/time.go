package format

import "time"

// parseTime reads an RFC 3339 date-time to nanoseconds since 1970. It takes
// what time.Parse takes for RFC 3339 with up to nine digits of a second, years
// 1970 to 2262, and does not allocate.
func parseTime(b []byte) (int64, bool) {
	if len(b) < len("2006-01-02T15:04:05Z") || b[4] != '-' || b[7] != '-' || b[10] != 'T' || b[13] != ':' ||
		b[16] != ':' {
		return 0, false
	}
	var ok = true
	year := digits(b[0:4], &ok)
	month := digits(b[5:7], &ok)
	day := digits(b[8:10], &ok)
	hour := digits(b[11:13], &ok)
	minute := digits(b[14:16], &ok)
	second := digits(b[17:19], &ok)
	if !ok || !onCalendar(year, month, day) || hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	rest := b[19:]
	nanos := 0
	if rest[0] == '.' {
		n := 1
		for scale := 100_000_000; n < len(rest) && rest[n] >= '0' && rest[n] <= '9'; n++ {
			nanos += int(rest[n]-'0') * scale
			scale /= 10
		}
		if n < 2 || n > 10 || n == len(rest) {
			return 0, false
		}
		rest = rest[n:]
	}
	offset, ok := zone(rest)
	if !ok {
		return 0, false
	}
	seconds := daysSince1970(year, month, day)*86400 + int64(hour*3600+minute*60+second) - int64(offset)
	if seconds < 0 {
		return 0, false
	}
	return seconds*int64(time.Second) + int64(nanos), true
}

// onCalendar reports whether there is such a day, in the years that nanoseconds reach.
func onCalendar(year, month, day int) bool {
	return year >= 1970 && year <= 2261 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month)
}

// zone reads Z or ±hh:mm to seconds east of UTC.
func zone(b []byte) (int, bool) {
	if len(b) == 1 && b[0] == 'Z' {
		return 0, true
	}
	if len(b) != 6 || b[3] != ':' || b[0] != '+' && b[0] != '-' {
		return 0, false
	}
	ok := true
	h, m := digits(b[1:3], &ok), digits(b[4:6], &ok)
	if !ok || h > 23 || m > 59 {
		return 0, false
	}
	if b[0] == '-' {
		return -(h*3600 + m*60), true
	}
	return h*3600 + m*60, true
}

func digits(b []byte, ok *bool) int {
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			*ok = false
			return 0
		}
		n = 10*n + int(c-'0')
	}
	return n
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// daysSince1970 counts civil days.
// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
func daysSince1970(y, m, d int) int64 {
	if m <= 2 {
		y--
	}
	era := y / 400
	yoe := y - era*400
	shifted := (m + 9) % 12
	doy := (153*shifted+2)/5 + d - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return int64(era)*146097 + int64(doe) - 719468
}
