"""Opens the exports of a run with the tools that they are for: python-exports.py FOLDER.

In the folder: run.csv, run.tidy.csv, run.jsonl, run.parquet, run.nc, run.meas, wide.csv, comma.csv. Tells one line for each
tool: how many records it sees, and the mean of carbon dioxide by channel over those that count.
"""

import json
import sys
from pathlib import Path

import duckdb
import netCDF4
import numpy
import pandas
import polars
import pyarrow.parquet
import xarray

folder = Path(sys.argv[1])


def tell(tool, **line):
    print(json.dumps({"tool": tool, **line}), flush=True)


def means(frame):
    """By channel, of records that count."""
    good = frame[(frame["discard"] == 0) & (frame["qc"] == 0)]
    return {str(int(channel)): value for channel, value in good.groupby("channel")["co2_ppm"].mean().items()}


def seen(tool, frame):
    tell(tool, records=len(frame), co2=means(frame), columns=list(frame.columns))


def with_pandas():
    frame = pandas.read_csv(folder / "run.csv", parse_dates=["time_utc", "time_read_utc"])
    assert str(frame["time_utc"].dtype).startswith("datetime64"), frame.dtypes
    seen("pandas csv", frame)
    lines = pandas.read_json(folder / "run.jsonl", lines=True)
    assert (pandas.to_datetime(lines["time_utc"]) <= pandas.to_datetime(lines["time_read_utc"])).all(), lines
    seen("pandas jsonl", lines)
    seen("pandas comma", pandas.read_csv(folder / "comma.csv", sep=";", decimal=","))
    parquet = pandas.read_parquet(folder / "run.parquet")
    assert str(parquet["time_utc"].dt.tz) == "UTC", parquet.dtypes
    seen("pandas parquet", parquet)
    tidy = pandas.read_csv(folder / "run.tidy.csv")
    wide = tidy.pivot(index=["run_id", "seq"], columns="species", values="value")
    good = tidy[(tidy["species"] == "CO2") & (tidy["discard"] == 0) & (tidy["qc"] == 0)]
    co2 = {str(int(channel)): value for channel, value in good.groupby("channel")["value"].mean().items()}
    tell("pandas tidy", records=len(wide), co2=co2, units=sorted(tidy["unit"].unique()))
    meas = pandas.read_csv(folder / "run.meas", sep="\t", skiprows=8, parse_dates=["Timestamp"])
    tell("pandas meas", records=len(meas), columns=[column.strip() for column in meas.columns])
    shown = pandas.read_csv(folder / "wide.csv", sep="\t", parse_dates=["timestamp"])
    tell("pandas gasera-csv", records=len(shown), columns=list(shown.columns), phases=sorted(set(shown["phase"].str.strip())))


def with_others():
    table = pyarrow.parquet.read_table(folder / "run.parquet")
    metadata = {key.decode(): json.loads(value) for key, value in table.schema.metadata.items() if b"gases" in key}
    tell("pyarrow", records=table.num_rows, types={field.name: str(field.type) for field in table.schema}, **metadata)
    frame = polars.read_parquet(folder / "run.parquet")
    good = frame.filter(~polars.col("discard") & (polars.col("qc") == 0))
    co2 = {str(row["channel"]): row["co2_ppm"] for row in good.group_by("channel").agg(polars.mean("co2_ppm")).to_dicts()}
    tell("polars", records=frame.height, co2=co2, time=str(frame["time_utc"].dtype))
    for name in ["run.csv", "run.parquet", "run.jsonl"]:
        query = f"SELECT channel, avg(co2_ppm), count(*) FROM '{folder / name}' WHERE discard = 0 AND qc = 0 GROUP BY channel"
        rows = duckdb.sql(query).fetchall()
        count = duckdb.sql(f"SELECT count(*) FROM '{folder / name}'").fetchall()[0][0]
        tell(f"duckdb {name}", records=count, co2={str(channel): mean for channel, mean, _ in rows})


def with_netcdf():
    with netCDF4.Dataset(folder / "run.nc") as file:
        co2 = file["co2"]
        attributes = {name: co2.getncattr(name) for name in co2.ncattrs() if name != "_FillValue"}
        tell(
            "netCDF4",
            records=len(file.dimensions["obs"]),
            model=file.data_model,
            conventions=file.Conventions,
            feature=file.featureType,
            time={name: file["time"].getncattr(name) for name in file["time"].ncattrs()},
            co2_attributes=attributes,
            instance=file["station_index"].instance_dimension,
            role=file["station_id"].cf_role,
        )
    data = xarray.open_dataset(folder / "run.nc")
    assert numpy.issubdtype(data["time"].dtype, numpy.datetime64), data["time"]
    ids = data["station_id"].values[data["station_index"].values]
    good = (data["discard"].values == 0) & (data["qc"].values == 0)
    text = lambda value: value.decode() if isinstance(value, bytes) else str(value)
    co2 = {
        text(name): float(data["co2"].values[good & (ids == name)].mean()) for name in numpy.unique(ids[good])
    }
    tell("xarray", records=data.sizes["obs"], co2=co2)


with_pandas()
with_others()
with_netcdf()
