/** Numbers as people read them, the same in the terminal and in the report. */

/** An AP in [0, 1] times 100 with one decimal; `-` for -1, which stands for no ground truth. */
export function formatAp(ap: number): string {
  return ap < 0 ? "-" : (100 * ap).toFixed(1);
}

export interface DetectorAp {
  readonly ap: number;
  readonly ap50: number;
  readonly ap75: number;
  readonly class_agnostic_ap: number;
}

/** `AP 23.8, AP50 62.6, AP75 0.0, class-agnostic AP 14.2`. */
export function formatDetectorAp({ ap, ap50, ap75, class_agnostic_ap }: DetectorAp): string {
  const parts = [`AP ${formatAp(ap)}`, `AP50 ${formatAp(ap50)}`, `AP75 ${formatAp(ap75)}`];
  return [...parts, `class-agnostic AP ${formatAp(class_agnostic_ap)}`].join(", ");
}

/** `0.4 s`, `41 s`, `3 min 05 s`, `2 h 07 min`. */
export function formatDuration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const twoDigits = (value: number): string => String(value).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${twoDigits(whole % 60)} s`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h ${twoDigits(minutes % 60)} min`;
}

/** `512 B`, `1.5 MiB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const power = Math.min(4, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(1)} ${["B", "KiB", "MiB", "GiB", "TiB"][power]}`;
}

/** At most three significant digits, without trailing zeros: `0.00132`, `0.8`, `153`. */
export function formatNumber(value: number): string {
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return String(Number(value.toPrecision(3)));
}

/** `16 images a batch over 2 processes`; empty if it is not known. */
export function formatBatch({ images_per_batch, processes }: { images_per_batch: number; processes: number }): string {
  if (images_per_batch === 0) return "";
  return `${images_per_batch} images a batch${processes > 1 ? ` over ${processes} processes` : ""}`;
}

/** A share in [0, 1] as per cent: `6.8 %`, `100 %`. */
export function formatShare(share: number): string {
  return `${Number((100 * share).toFixed(1))} %`;
}

/** `2026-03-01 14:05:09 UTC`. */
export function formatTime(time: Date): string {
  return `${time.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
