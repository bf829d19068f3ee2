CREATE TABLE journal (
    seq    INTEGER PRIMARY KEY,
    tick   INTEGER NOT NULL,
    utc    INTEGER NOT NULL,
    line   TEXT NOT NULL
) STRICT;
CREATE TABLE runs (
    number   INTEGER PRIMARY KEY,
    id       TEXT NOT NULL UNIQUE,
    plan     TEXT NOT NULL,
    gases    TEXT NOT NULL,
    labels   TEXT NOT NULL,
    started  INTEGER NOT NULL,
    ended    INTEGER,
    outcome  TEXT,
    reason   TEXT NOT NULL
, journal INTEGER, owes_stop INTEGER NOT NULL DEFAULT 0, records INTEGER NOT NULL DEFAULT 0, good_records INTEGER NOT NULL DEFAULT 0, rebuild INTEGER NOT NULL DEFAULT 1, without_channel TEXT NOT NULL DEFAULT '{"samples":0,"why":{}}') STRICT;
CREATE TABLE visits (
    run       TEXT NOT NULL REFERENCES runs (id),
    visit     INTEGER NOT NULL,
    channel   INTEGER NOT NULL,
    repeat    INTEGER NOT NULL,
    arrived   INTEGER NOT NULL,
    departed  INTEGER, records INTEGER NOT NULL DEFAULT 0, good_records INTEGER NOT NULL DEFAULT 0, first_record INTEGER, last_record INTEGER,
    PRIMARY KEY (run, visit)
) STRICT, WITHOUT ROWID;
CREATE TABLE records (
    run              TEXT NOT NULL REFERENCES runs (id),
    seq              INTEGER NOT NULL,
    stamp            INTEGER NOT NULL,
    readings         TEXT NOT NULL,
    raw              TEXT NOT NULL,
    attribution      TEXT NOT NULL,
    channel          INTEGER,
    visit            INTEGER,
    repeat           INTEGER,
    verification     TEXT NOT NULL,
    elapsed_s        REAL,
    sample_in_visit  INTEGER,
    discard          INTEGER NOT NULL,
    qc               TEXT NOT NULL,
    flags            TEXT NOT NULL,
    iteration        INTEGER,
    sampled          INTEGER NOT NULL,
    exchange_from    INTEGER,
    exchange_until   INTEGER,
    read             INTEGER NOT NULL,
    clock_offset_s   REAL,
    good             INTEGER NOT NULL, stamp_meaning TEXT,
    PRIMARY KEY (run, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE events (
    seq      INTEGER PRIMARY KEY,
    tick     INTEGER NOT NULL,
    utc      INTEGER NOT NULL,
    name     TEXT NOT NULL,
    run      TEXT,
    channel  INTEGER,
    data     TEXT NOT NULL
) STRICT;
CREATE TABLE audit (
    seq     INTEGER PRIMARY KEY,
    tick    INTEGER NOT NULL,
    utc     INTEGER NOT NULL,
    who     TEXT NOT NULL,
    what    TEXT NOT NULL,
    result  TEXT NOT NULL
) STRICT;
CREATE TABLE notes (
    seq   INTEGER PRIMARY KEY,
    run   TEXT NOT NULL REFERENCES runs (id),
    at    INTEGER NOT NULL,
    who   TEXT NOT NULL,
    text  TEXT NOT NULL
) STRICT;
CREATE TABLE waiting (
    number  INTEGER PRIMARY KEY,
    run     TEXT NOT NULL UNIQUE,
    start   TEXT NOT NULL
) STRICT;
CREATE TABLE schedules (
    name      TEXT PRIMARY KEY,
    schedule  TEXT NOT NULL
) STRICT;
CREATE TABLE sheets (
        run         TEXT PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
        channels    TEXT NOT NULL,
        gases       TEXT NOT NULL DEFAULT '[]',
        provenance  TEXT NOT NULL,
        equipment   TEXT NOT NULL DEFAULT '{}'
    ) STRICT;
CREATE TABLE trash (
        run      TEXT PRIMARY KEY REFERENCES runs (id),
        trashed  INTEGER NOT NULL,
        who      TEXT NOT NULL,
        purging  INTEGER NOT NULL DEFAULT 0
    ) STRICT;
CREATE INDEX events_of_runs ON events (run, seq) WHERE run IS NOT NULL AND name <> 'live_data';
INSERT INTO "journal" VALUES(1,1000000,1768464000000000,'{"at":{"tick":1000000,"utc":"2026-01-15T08:00:00.000Z"},"what":"deadline_reached"}');
INSERT INTO "runs" VALUES(1,'01KF000000000000000000000A','{"channels": [1, 2], "repeats": 2, "pause_s": 2.5, "measure_s": 4, "iterations": null, "task": "DEFAULT", "sync": "analyzer", "save_on_device": false, "label": "winter", "note": "first, of many", "operator": "ada", "settle_s": 5}','["74-82-8","124-38-9"]','[[1,["barn, north","sample"]],[2,["zero","zero"]]]',1768464000000000,1768464600000000,'completed','',1,0,5,3,1,'{"samples":0,"why":{}}');
INSERT INTO "runs" VALUES(2,'01KF000000000000000000000B','{"channels": [1, 2], "repeats": 2, "pause_s": 2.5, "measure_s": 4, "iterations": null, "task": "DEFAULT", "sync": "analyzer", "save_on_device": false, "label": "winter", "note": "first, of many", "operator": "ada", "settle_s": 5}','["74-82-8","124-38-9"]','[[1,["barn, north","sample"]],[2,["zero","zero"]]]',1768465000000000,NULL,NULL,'',1,0,5,3,1,'{"samples":0,"why":{}}');
INSERT INTO "visits" VALUES('01KF000000000000000000000A',1,1,1,1768464060000000,1768464120000000,3,2,1,3);
INSERT INTO "visits" VALUES('01KF000000000000000000000A',2,2,1,1768464120000000,1768464180000000,1,1,4,4);
INSERT INTO "visits" VALUES('01KF000000000000000000000B',1,1,1,1768465060000000,1768465120000000,3,2,1,3);
INSERT INTO "visits" VALUES('01KF000000000000000000000B',2,2,1,1768465120000000,1768465180000000,1,1,4,4);
INSERT INTO "records" VALUES('01KF000000000000000000000A',1,1768464060,'[{"cas": "74-82-8", "ppm": 1.91}, {"cas": "124-38-9", "ppm": 411.0}]',' ACON 0 1768464060 74-82-8 1.91 124-38-9 411.0 ','exact',1,1,1,'readback',12.25,1,1,'good','["purge"]',1,1768464030000000,1768464020000000,1768464030000000,1768464070000000,-3600.5,0,'sampling');
INSERT INTO "records" VALUES('01KF000000000000000000000A',2,1768464120,'[{"cas": "74-82-8", "ppm": 1.92}, {"cas": "124-38-9", "ppm": 412.0}]',' ACON 0 1768464120 74-82-8 1.92 124-38-9 412.0 ','exact',1,1,1,'readback',12.25,2,0,'good','[]',2,1768464060000000,1768464050000000,1768464060000000,1768464100000000,-3600.5,1,'sampling');
INSERT INTO "records" VALUES('01KF000000000000000000000A',3,1768464180,'[{"cas": "74-82-8", "ppm": 1.93}, {"cas": "124-38-9", "ppm": 413.0}]',' ACON 0 1768464180 74-82-8 1.93 124-38-9 413.0 ','exact',1,1,1,'readback',12.25,3,0,'good','[]',3,1768464090000000,1768464080000000,1768464090000000,1768464130000000,-3600.5,1,'sampling');
INSERT INTO "records" VALUES('01KF000000000000000000000A',4,1768464240,'[{"cas": "74-82-8", "ppm": 1.94}, {"cas": "124-38-9", "ppm": 414.0}]',' ACON 0 1768464240 74-82-8 1.94 124-38-9 414.0 ','exact',2,2,1,'readback',12.25,1,0,'good','[]',4,1768464120000000,1768464110000000,1768464120000000,1768464160000000,-3600.5,1,'sampling');
INSERT INTO "records" VALUES('01KF000000000000000000000A',5,1768464300,'[{"cas": "74-82-8", "ppm": 1.95}, {"cas": "124-38-9", "ppm": 415.0}]',' ACON 0 1768464300 74-82-8 1.95 124-38-9 415.0 ','mixed',NULL,NULL,NULL,'readback',NULL,NULL,1,'suspect','[]',5,1768464150000000,1768464140000000,1768464150000000,1768464190000000,-3600.5,0,'sampling');
INSERT INTO "records" VALUES('01KF000000000000000000000B',1,1768464060,'[{"cas": "74-82-8", "ppm": 1.91}, {"cas": "124-38-9", "ppm": 411.0}]',' ACON 0 1768464060 74-82-8 1.91 124-38-9 411.0 ','exact',1,1,1,'readback',12.25,1,1,'good','["purge"]',1,1768465030000000,1768464020000000,1768464030000000,1768464070000000,-3600.5,0,'sampling');
INSERT INTO "records" VALUES('01KF000000000000000000000B',2,1768464120,'[{"cas": "74-82-8", "ppm": 1.92}, {"cas": "124-38-9", "ppm": 412.0}]',' ACON 0 1768464120 74-82-8 1.92 124-38-9 412.0 ','exact',1,1,1,'readback',12.25,2,0,'good','[]',2,1768465060000000,1768464050000000,1768464060000000,1768464100000000,-3600.5,1,'sampling');
INSERT INTO "records" VALUES('01KF000000000000000000000B',3,1768464180,'[{"cas": "74-82-8", "ppm": 1.93}, {"cas": "124-38-9", "ppm": 413.0}]',' ACON 0 1768464180 74-82-8 1.93 124-38-9 413.0 ','exact',1,1,1,'readback',12.25,3,0,'good','[]',3,1768465090000000,1768464080000000,1768464090000000,1768464130000000,-3600.5,1,'sampling');
INSERT INTO "records" VALUES('01KF000000000000000000000B',4,1768464240,'[{"cas": "74-82-8", "ppm": 1.94}, {"cas": "124-38-9", "ppm": 414.0}]',' ACON 0 1768464240 74-82-8 1.94 124-38-9 414.0 ','exact',2,2,1,'readback',12.25,1,0,'good','[]',4,1768465120000000,1768464110000000,1768464120000000,1768464160000000,-3600.5,1,'sampling');
INSERT INTO "records" VALUES('01KF000000000000000000000B',5,1768464300,'[{"cas": "74-82-8", "ppm": 1.95}, {"cas": "124-38-9", "ppm": 415.0}]',' ACON 0 1768464300 74-82-8 1.95 124-38-9 415.0 ','mixed',NULL,NULL,NULL,'readback',NULL,NULL,1,'suspect','[]',5,1768465150000000,1768464140000000,1768464150000000,1768464190000000,-3600.5,0,'sampling');
INSERT INTO "events" VALUES(1,1000000,1768464001000000,'run.started','01KF000000000000000000000A',NULL,'{}');
INSERT INTO "events" VALUES(2,2000000,1768464002000000,'mux.position',NULL,1,'{"channel":1}');
INSERT INTO "events" VALUES(3,3000000,1768464003000000,'live_data','01KF000000000000000000000A',NULL,'{}');
INSERT INTO "events" VALUES(4,4000000,1768464004000000,'run.finished','01KF000000000000000000000A',NULL,'{}');
INSERT INTO "events" VALUES(5,5000000,1768464005000000,'run.started','01KF000000000000000000000B',NULL,'{}');
INSERT INTO "audit" VALUES(1,1,1768464000000000,'uid 1000','start','ok 01KF000000000000000000000A');
INSERT INTO "notes" VALUES(1,'01KF000000000000000000000A',1768464000000005,'ada','opened the door');
INSERT INTO "schedules" VALUES('night','{"name":"night","cron":"30 2 * * *","zone":"Europe/Berlin","plan":"weekly","overlap":"wait","misfire":"skip","grace_s":600,"enabled":true,"who":"ada","decided":"2026-01-15T08:00:00.000Z","last":null}');
INSERT INTO "sheets" VALUES('01KF000000000000000000000B','[[1,{"label":"barn, north","kind":"sample"}],[2,{"label":"zero","kind":"zero"}]]','[]','{"software":"gaserad 0.1.0","analyzer_address":"192.168.0.100:8888","multiplexer":"vici","simulated":false,"configuration":"[analyzer]\naddress = \"192.168.0.100:8888\"\n"}','{}');
CREATE TABLE devices (
    device  TEXT PRIMARY KEY,
    known   TEXT NOT NULL
) STRICT;

PRAGMA user_version = 10;
