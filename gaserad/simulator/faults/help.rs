//! The help of the faults file.

/// For the long help of the simulator command: every key, its meaning, its default.
pub const FAULTS_HELP: &str = "\
Faults file (TOML; every key is optional, unknown keys are errors)
Times are the plant's, since it was switched on. WHEN names replies of the analyzer:
{ every = 7 } each seventh, { after = \"2m\" } the first one from then on,
{ after = \"2m\", for = \"10s\" } all of that time, and with every as well, each of so many of them;
{ one_in = 5 } one of five, by chance.

The gas and the iterations:
  lag = { \"7664-41-7\" = \"30s\" } how slowly gases follow the valve, by CAS number [800ms each]
  jitter = 0.1                  an iteration's length varies by such a part of it at most [0.02]

The analyzer's clock:
  clock_offset = \"1h\"           it is ahead of this machine's; \"-1h\" is behind [0]
  clock_drift = 50.0            it gains so much, in parts per million [0]
  clock_step = { after = \"10m\", by = \"-1h\" }
                                it is set to another time
  stamp = \"calculated\"          a result's stamp is the end of its analysis, not of its gas
                                exchange [\"sampling\"]

What the analyzer is and does:
  sampler = 4                   it has a sampler of its own with so many inlets [none]
  cancel_time = \"2s\"            how long it takes to stop measuring [2s]
  boot_time = \"5s\"              after a reboot: so long away, then so long initializing [5s]
  self_test_time = \"2m\"         how long a self-test takes [2m]
  self_test_fails = true        and how it ends
  errors = [\"8004\"]             error codes that AERR reports [none]
  errors_after = { after = \"3m\", codes = [\"8012\"] }
                                more of them, later
  malfunction_after = \"3m\"      then it stops measuring, in malfunction until it is rebooted
  reboot_after = \"3m\"           then it reboots
  other_client = { after = \"3m\", what = \"SCON 1 1 0\" }
                                another client gives it an order; or a list of such

What the analyzer answers:
  tasks = [\"11 Soil 2024 run\", \"12 FLUSH\"]
                                ids and names [7 Calibration task, 11 DEFAULT, 12 FLUSH]
  no_tasks = true               ATSK lists no task
  refuse_start = true           STAM and STAT are answered with an error
  start_while_measuring = true  STAM and STAT while measuring are answered 0, and change nothing
                                [answered 1]
  refuse = [\"AMST\", \"AITR\"]     commands that this firmware answers with an error
  silent_to = [\"AITR\"]          commands that are neither obeyed nor answered
  analyzer_silent_after = \"2m\"  from then on the analyzer neither obeys nor answers
  analyzer_silent_for = \"30s\"   for how long that lasts [for ever]
  analyzer_silent_every = \"10m\" and when it begins again [never]

How the analyzer's replies arrive:
  close_after_reply = true      the analyzer closes the connection after every reply
  slow_reply = \"500ms\"          every reply is this much later, in real time [0]
  junk = true                   noise before every reply, and replies arrive in pieces
  reply_byte_by_byte = true     every byte by itself
  unsolicited = WHEN            a reply that nobody asked for comes before them
  reply_stalls = WHEN           half of them arrives, then nothing more; the connection stays open
  reset = WHEN                  a TCP reset comes in place of them

The valve:
  legacy_valve = true           the valve answers \"Position is  = 3\" instead of \"CP03\"
  valve_id = \"3\"                the valve hears only commands with this id before them, or /3 [none]
  valve_np = 10                 the actuator is set up for so many ports [as many as there are]
  valve_am = 2                  the actuator is set up as one with two positions, or whatever AM is
                                [3: many]
  valve_count = 1200            how often it had moved before (CNT) [0]
  valve_stuck_after = \"2m\"      the valve accepts GO and does not move from then on
  valve_between_ports = 3       its third move ends between two ports; \"2m\" is the first move
                                after that time
  valve_wrong_port = 3          its third move ends one port further, and it says so; or a time
  valve_moved_by_hand = { after = \"2m\", to = 5, back = \"4s\" }
                                somebody turns the valve, and so much later back [never back]
  serial_unplugged = { after = \"2m\", for = \"30s\", link = \"/tmp/other\" }
                                the valve's serial port goes away, and is back as another one
                                [for ever; under the same name]
  valve_silent = true           the valve neither obeys nor answers
  valve_stuck = true            the valve accepts GO and does not move

The cascaded units that count pulses:
  pulse_lost_every = 7          one pulse in so many is lost [none]
  home_sensor_stuck = \"active\"  their home sensors say this whatever happens, or \"inactive\"
                                [they work]

The relay board:
  coil_stuck = 5                the relay of this channel does not switch
  coil_welded = 4               the relay of this channel stays on
  modbus_silent = true          it neither obeys nor answers
  modbus_exception = 4          it answers everything with this exception
  modbus_single_coils = true    it cannot write several coils at once
  modbus_nameless = true        it does not tell who it is";
