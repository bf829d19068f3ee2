//! The help of the table `[habits]`.

/// For the long help of the simulator command, behind that of the faults.
pub const HABITS_HELP: &str = "\
Habits of real instruments: the table [habits] of the faults file, every key optional. Under
`[habits]`, or anywhere with the name before it: habits.counter.by = 2. Where WHEN is not of
replies, it is of iterations; { one_in = 5 } is one of five, by chance.

The iteration counter, AITR:
  counter = { ticks = \"exchange_end\", by = 2, wraps_at = 256, starts_at = 60000, global = true }
                                where in an iteration it comes to its number: \"start\",
                                \"exchange_end\", \"mid\" (of the integration), \"late\" (in the
                                analysis, to the next one's number) or \"constant\" [start];
                                by how much [1]; the number that is 0 again [none]; where it
                                begins [0], and only when switched on [with each measurement]
  counter.jumps = { when = WHEN, by = 65 }
                                at some iterations it moves by so much more
  counter.back = { after = \"3m\", by = 2 }
                                it goes back by so much; or a list of such

Replies that are old:
  cached = { AMST = \"15s\", ASTS = \"2s\" }
                                such a reply is made anew only each so long; also AITR and ACON
  late = { AMST = \"5s\", ACON = \"30s\" }
                                it tells what was so long ago; also ASTS and AITR
  acon_late_up_to = \"70s\"       a result comes so much later at most, each by another time; never
                                before that of the iteration before it
  acon_held = { after = \"5m\", for = \"90s\", every = \"20m\" }
                                ACON gives the result it had when that began [once]

Stamps and values:
  repeated_stamp = WHEN         a result has the stamp of the one before
  stamps_as_shown = true        a clock set back gives the same stamps again
                                [the next free second]
  odd_stamp = { when = WHEN, as = \"float\" }
                                1706785295.0, or \"milliseconds\"
  odd_value = { when = WHEN, as = \"comma\", gas = \"7664-41-7\" }
                                500,003; or \"exponent\", \"inf\", \"over\", \"nan\", \"hash\", \"dashes\",
                                \"missing\"; a gas or \"all\" [any one]; or a list of such

Phases and iterations:
  false_phase = { when = WHEN, phase = 3 }
                                some replies to AMST tell a phase that is not [any other one]
  excursion = { when = WHEN, at = 0.5, for = \"5s\", state = 8, phase = 4, then = \"anew\" }
                                the analyzer leaves measuring: after such a part of an iteration
                                [anywhere], with what ASTS [8] and AMST [0] say, and how the
                                iteration then \"goes_on\", is measured \"anew\" or gives
                                \"no_result\" [goes_on]; or a list of such
  no_result = WHEN              an iteration gives no result

Power and network:
  mains_blip = { after = \"5m\", for = \"8s\", every = \"20m\" }
                                the analyzer is without power, and then starts anew, for
                                boot_time [once]
  network_down = { after = \"5m\", for = \"30s\", every = \"20m\", how = \"hangs\" }
                                the analyzer measures on and is not reached: connections are
                                \"refused\", nothing gets through, or \"replies_lost\" while
                                commands are obeyed [refused; once]

Another device behind the same name; the gas does not come through it:
  analyzer_swapped = { after = \"5m\", serial = \"999999\" }
                                ADEV tells another serial number
  valve_swapped = { after = \"5m\", for = \"1m\", model = \"OTHER\", count = 9, at = 3 }
                                another valve answers, with such VR and CNT, and stands there
                                [for ever; the same VR, 0, 1]
  relays_swapped = { after = \"5m\", for = \"1m\", coils = 8 }
                                another relay board answers, with so many coils [for ever]";
