# Opens the exports of a run with R: Rscript r-exports.R FOLDER.
#
# In the folder: run.csv, comma.csv, and the tables for goFlux, fluxible, gasfluxes and fluxfinder. Tells one line for each:
# how many records it sees, and what came of them. Stops where a column is not what its package takes.

folder <- commandArgs(trailingOnly = TRUE)[1]

object <- function(values) paste0("{", paste0("\"", names(values), "\":", values, collapse = ","), "}")

tell <- function(tool, frame, ...) {
  cat(object(c(tool = paste0("\"", tool, "\""), records = nrow(frame), ...)), "\n", sep = "")
}

table_of <- function(name, read = read.csv) read(file.path(folder, name))

utc <- function(text) {
  time <- as.POSIXct(text, tz = "UTC")
  stopifnot(!anyNA(time))
  time
}

means <- function(frame) {
  good <- frame[frame$discard == 0 & frame$qc == 0, ]
  co2 <- tapply(good$co2_ppm, good$channel, mean)
  object(setNames(sprintf("%.17g", co2), names(co2)))
}

# How many of the stays have a slope.
slopes <- function(frame, stay, time, gas) {
  one <- function(rows) coef(lm(rows[[gas]] ~ rows[[time]]))[[2]]
  found <- vapply(split(frame, frame[[stay]]), one, numeric(1))
  sum(is.finite(found))
}

run <- table_of("run.csv")
stopifnot(!anyNA(as.POSIXct(run$time_utc, format = "%Y-%m-%dT%H:%M:%OS", tz = "UTC")), is.numeric(run$co2_ppm))
tell("R", run, co2 = means(run))
comma <- table_of("comma.csv", read.csv2)
tell("R comma", comma, co2 = means(comma))

goflux <- table_of("goflux.csv")
closures <- table_of("auxfile.csv")
stopifnot(
  is.character(goflux$UniqueID), is.numeric(goflux$Etime), is.numeric(goflux$flag), is.numeric(goflux$CO2dry_ppm),
  is.numeric(goflux$CH4dry_ppb), is.numeric(goflux$H2O_ppm), is.numeric(closures$obs.length)
)
goflux$POSIX.time <- utc(goflux$POSIX.time)
closures$start.time <- utc(closures$start.time)
used <- merge(goflux[goflux$flag == 1, ], closures[, c("UniqueID", "start.time", "obs.length")], by = "UniqueID")
since <- as.numeric(difftime(used$POSIX.time, used$start.time, units = "secs"))
stopifnot(used$Etime >= 0, used$Etime <= used$obs.length, abs(since - used$Etime) <= 1)
tell("goFlux", used, slopes = slopes(used, "UniqueID", "Etime", "CO2dry_ppm"))

conc <- transform(table_of("raw_conc.csv"), datetime = utc(datetime))
record <- transform(table_of("field_record.csv"), start = utc(start), end = utc(end))
inside <- vapply(conc$datetime, function(time) sum(record$start <= time & time <= record$end), integer(1))
stopifnot(is.double(conc$co2_ppm), inside == 1)
tell("fluxible", conc, stays = nrow(record))

fluxes <- table_of("gasfluxes.csv")
stopifnot(is.numeric(fluxes$time), is.numeric(fluxes$C), fluxes$time >= 0, fluxes$C >= 0)
stopifnot(!vapply(split(fluxes$time, fluxes$ID), is.unsorted, logical(1), strictly = TRUE))
tell("gasfluxes", fluxes, slopes = slopes(fluxes, "ID", "time", "C"))

data <- transform(table_of("data.csv"), TIMESTAMP = utc(TIMESTAMP))
stopifnot(data$TZ == "UTC", is.numeric(data$Etime_s), is.numeric(data$CO2_ppm))
tell("fluxfinder", data, slopes = slopes(data, "UniqueID", "Etime_s", "CO2_ppm"))
