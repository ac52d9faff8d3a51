package sensors

// claimedElsewhere are sentences of docs/wire.md that tests of other packages, or of this
// one without documented, hold against the product or the part of it that they are about.
var claimedElsewhere = map[string][]string{
	`test/intake.TestTheListenersLimits`: {
		`| from the connection to the whole CONNECT, TLS included | 10 s |`,
		`| connections of one sensor | 4; the next ends the oldest |`,
	},
	`test/docs.TestSampleCommands`: {
		"A message can be tried before any device is connected, with the policy's directory where there " +
			"is one, and `--preset` for what another system sends:",
		"echo " +
			"'{\"ts\":\"2026-11-23T10:00:00Z\",\"seq\":1,\"boot\":7,\"fields\":{\"laeq\":71.5,\"note\":\"hot" +
			"\"}}' > sample.json\nsluice sensor check sample.json --kind noise-meter --topic " +
			"city/v1/acme/noise-7/up --policy policy",
		"It says when the reading was and from which key that is known, its `seq` and `boot`, whose it " +
			"is, what becomes of each key (kept, generalised, counted or dropped) and by which decision, " +
			"and all mistakes at once, with the codes above and the fix.",
		"The exit code is 1 where no reading would count.",
		"Values are shown of the time, `seq` and the identity only, and nothing is sent.",
	},
	`gateway/ingest/internal/format.TestEnvelope`: {
		`| E107 | refused | a type of message that the sensor's preset does not know |`,
		`| E108 | refused | the message does not say whose it is, where the preset looks for the device |`,
	},
	`gateway/ingest.TestWhoIsToldAtTheDoor`: {
		`A gateway by wall time that asks nobody who it is tells nobody.`,
	},
	`gateway/ingest/internal/intake.TestASenderHasAShare`: {
		`A sensor may have about 1 MiB, or 1,300 small messages, waiting for their acknowledgement; then nothing more is read from it until some are.`,
	},
	`register.TestCheck`: {
		"`ts`, `seq` and `boot` themselves cannot be mapped.",
	},
	`gateway/ingest.TestHeartbeatsThatCannotBeRead`: {
		"One that cannot be read says nothing; the sensor is told of `/ts` (E300), of `/every` or `/seq` (E101), or " +
			"that it is no object (E100).",
	},
	`gateway/ingest.TestWhatIsLackingIsNamed`: {
		"Of a reading's own keys, `pointer` is `/ts`, `/seq`, `/boot` or `/fields`; a mapped field has the pointer " +
			"of its map.",
	},
	`test/sensors.TestAFlood`: {
		`Sensors are served in turn, by bytes and readings, behind a broker too: one that floods, or sends large arrays, waits for itself.`,
	},
	`gateway/ingest/internal/window.TestOneSensorsMemoryIsBounded`: {
		`What the gateway remembers of a sensor is bounded, window by window.`,
	},
	`gateway/ingest/internal/window.TestACountingSensorIsNeverRefused`: {
		"A sensor whose `seq` goes up by one is never near it, whether its oldest or its newest " +
			"readings come first.",
	},
	`gateway/ingest/internal/window.TestADayOfASecondIsExact`: {
		"Where its times are irregular besides, it is remembered exactly for 16,384 readings and one more for each " +
			"second of the window; after that a reading is known by `boot` and `seq` alone, so change `boot` at a " +
			"restart.",
	},
	`gateway/ingest/internal/window.TestTheBudgetOfAll`: {
		"When many sensors do that at once, it is refused from 64 holes or readings without `seq` on, " +
			"or 7 `boot`s.",
	},
	`test/privacy.TestContributionBound`: {
		"Counted are also the readings of a unit that has reached its contribution bound (`max_contributions`) and " +
			"so counts nowhere more: who sends them must not learn where else the unit was.",
	},
	`test/privacy.TestMelbourneCounts`: {
		"`firmware-sim replay FILE --map …` sends recorded readings.",
	},
	`test/sensors.TestEveryCode`: {
		`| E001 | refused | topic or sensor unknown (nobody is told) |`,
		`| E002 | refused | the sensor is not registered yet, or not any more, at that time |`,
		`| E100 | refused | neither JSON nor CBOR, or neither object nor array |`,
		`| E101 | refused | wrong type |`,
		`| E102 | refused | a field that the decision needs is missing |`,
		`| E103 | | unknown field, dropped; the reading goes on |`,
		`| E104 | refused | a key comes twice |`,
		`| E105 | refused | each reading of a message beyond the first 10,000; a message of more than 1 MiB |`,
		`| E106 | refused | SenML that is not valid: a reading, or the pack (see above) |`,
		`| E200 | refused | not a finite number, or not a whole one |`,
		`| E201 | refused | a text of more than 256 bytes |`,
		"| E203 | refused | an identifier that is not of the `format` of its kind |",
		"| E300 | refused | `ts`, or a field of type `time`, cannot be read |",
		"| E301 | refused | more than `windows.future` (60 s) ahead of the gateway's clock; or, sent before the " +
			"first tick of a simulated clock, more than two days |",
		`| E302 | late | the window was closed; or, sent before the first tick of a simulated clock, ended before it, or where nobody is counted more than two days before it |`,
		`| E303 | duplicate | counted before |`,
		"| E304 | refused | a broker's retained copy without `ts`: nobody knows when it was |",
		`| E305 | refused | of this sensor, the gateway can tell no more readings apart in this window (see above) |`,
		`| E306 | refused | this sensor has brought as many different units into the window, or the epoch, as a place can have (see above) |`,
		`| E401 | refused | no decision in force covers this sensor at that time |`,
		"| E402 | refused | the decision's `where` does not want it |",
		`| E403 | refused | the coordinates are in none of the decision's zones |`,
		`| E404 | refused | not one of the decision's categories |`,
		`| E406 | refused | the gateway was down for all of the window and no broker kept what came, or it has lost its keys: a gap |`,
		`Every received reading is in exactly one state: received = counted + duplicate + late + ignored + refused + open.`,
	},
}

// claimsNothing are sentences that tell a reader something, and promise nothing that
// could be otherwise.
var claimsNothing = map[string]string{
	"Send `seq`: it is exact and costs least.": `advice; the sentences around it say what it saves`,
}
