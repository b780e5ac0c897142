// Writes src/format/csv/datetime/locales.tsv and zones.tsv: the words that Java's DateTimeFormatter prints, which are
// those of the Unicode CLDR with Java's own fallbacks. Run it with the Java whose text is wanted, which is 17:
//
//   java --add-exports java.base/sun.util.locale.provider=ALL-UNNAMED scripts/LocaleText.java src/format/csv/datetime

import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.chrono.IsoChronology;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.temporal.TemporalAccessor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import sun.util.locale.provider.TimeZoneNameUtility;

class LocaleText {
    /** The locales whose zone names are carried; the first is the one that others leave out what they share with. */
    static final List<String> ZONE_LOCALES = List.of(
            "en-US", "en-GB", "en-AU", "en-CA", "de-DE", "es-ES", "fr-FR", "it-IT", "ja-JP", "ko-KR", "nl-NL",
            "pt-BR", "zh-CN");

    public static void main(String[] args) throws Exception {
        Path folder = Path.of(args[0]);
        TreeSet<String> tags = tags();

        TreeMap<String, List<String>> words = new TreeMap<>();
        for (String tag : tags) {
            words.computeIfAbsent(words(Locale.forLanguageTag(tag)), k -> new ArrayList<>()).add(tag);
        }
        TreeMap<String, String> lines = new TreeMap<>();
        words.forEach((text, same) -> lines.put(String.join(" ", same), text));
        try (PrintWriter out = new PrintWriter(folder.resolve("locales.tsv").toFile(), "UTF-8")) {
            out.print("# locales\tMMM\tMMMM\tLLL\tLLLL\tE\tEEEE\tQQQ\tQQQQ\tqqq\tqqqq\tG\tGGGG\ta\tO\n");
            lines.forEach((same, text) -> out.print(same + "\t" + text + "\n"));
        }

        TreeSet<String> zones = new TreeSet<>(ZoneId.getAvailableZoneIds());
        zones.removeIf(z -> z.startsWith("SystemV/"));
        zones.addAll(List.of("UTC", "GMT", "UT"));
        List<Map<String, String>> columns =
                ZONE_LOCALES.stream().map(tag -> zoneNames(Locale.forLanguageTag(tag), zones)).toList();
        List<List<String>> sharing = columns.stream().map(c -> (List<String>) new ArrayList<String>()).toList();
        for (String tag : tags) {
            int column = columns.indexOf(zoneNames(Locale.forLanguageTag(tag), zones));
            if (column >= 0) {
                sharing.get(column).add(tag);
            }
        }
        TreeMap<String, List<String>> rows = new TreeMap<>();
        for (String zone : zones) {
            String[] first = columns.get(0).get(zone).split("\\|", -1);
            String row = columns.stream().map(c -> less(first, c.get(zone).split("\\|", -1), c == columns.get(0)))
                    .collect(Collectors.joining("\t"));
            rows.computeIfAbsent(row, k -> new ArrayList<>()).add(zone);
        }
        TreeMap<String, String> sorted = new TreeMap<>();
        rows.forEach((row, same) -> sorted.put(String.join(" ", same), row));
        try (PrintWriter out = new PrintWriter(folder.resolve("zones.tsv").toFile(), "UTF-8")) {
            out.print("# zones\t" + sharing.stream().map(s -> String.join(" ", s)).collect(Collectors.joining("\t")) + "\n");
            sorted.forEach((same, row) -> out.print(same + "\t" + row + "\n"));
        }
    }

    /** All locales of the runtime, also by language and region alone where the table names a script. */
    static TreeSet<String> tags() {
        TreeSet<String> tags = new TreeSet<>();
        for (Locale l : Locale.getAvailableLocales()) {
            if (l.hasExtensions() || l.getLanguage().isEmpty()) {
                continue;
            }
            tags.add(l.toLanguageTag());
            if (!l.getScript().isEmpty() && l.getVariant().isEmpty()) {
                tags.add(new Locale.Builder().setLocale(l).setScript("").build().toLanguageTag());
            }
        }
        return tags;
    }

    static String words(Locale l) {
        Stream<String> months = Stream.of("MMM", "MMMM", "LLL", "LLLL")
                .map(p -> each(p, l, IntStream.rangeClosed(1, 12).mapToObj(m -> LocalDate.of(2024, m, 1))));
        Stream<String> days = Stream.of("E", "EEEE")
                .map(p -> each(p, l, IntStream.rangeClosed(1, 7).mapToObj(d -> LocalDate.of(2024, 1, d))));
        Stream<String> quarters = Stream.of("QQQ", "QQQQ", "qqq", "qqqq")
                .map(p -> each(p, l, Stream.of(1, 4, 7, 10).map(m -> LocalDate.of(2024, m, 1))));
        Stream<String> eras = Stream.of("G", "GGGG")
                .map(p -> each(p, l, Stream.of(-1, 1).map(y -> LocalDate.of(y, 1, 1))));
        Stream<String> halves = Stream.of(each("a", l, Stream.of(1, 13).map(h -> LocalTime.of(h, 0))));
        Stream<String> gmt = Stream.of(each("O", l, Stream.of(ZonedDateTime.of(2024, 1, 1, 0, 0, 0, 0, ZoneOffset.UTC))));
        return Stream.of(months, days, quarters, eras, halves, gmt).flatMap(s -> s).collect(Collectors.joining("\t"));
    }

    static String each(String pattern, Locale l, Stream<? extends TemporalAccessor> values) {
        DateTimeFormatter f = new DateTimeFormatterBuilder().appendPattern(pattern).toFormatter(l)
                .withChronology(IsoChronology.INSTANCE);
        return values.map(f::format).collect(Collectors.joining("|"));
    }

    /** Per zone: standard, daylight and generic, each the full and the short name; or nothing. */
    static Map<String, String> zoneNames(Locale l, TreeSet<String> zones) {
        Map<String, String> names = new TreeMap<>();
        for (String zone : zones) {
            String[] n = TimeZoneNameUtility.retrieveDisplayNames(zone, l);
            names.put(zone, n == null || n[1] == null ? "" : String.join("|", Arrays.copyOfRange(n, 1, 7)));
        }
        return names;
    }

    /** The names, empty where they are those of the first locale. */
    static String less(String[] first, String[] names, boolean isFirst) {
        if (isFirst) {
            return String.join("|", names);
        }
        if (Arrays.equals(first, names)) {
            return "";
        }
        return IntStream.range(0, names.length)
                .mapToObj(i -> i < first.length && first[i].equals(names[i]) ? "" : names[i])
                .collect(Collectors.joining("|"));
    }
}
