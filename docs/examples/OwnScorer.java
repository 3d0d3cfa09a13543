// A scorer in Java with the plain Kafka client: large amounts are reviewed, all else is approved.
// Started by the harness:
//   bench run fraud --scorer-command "java -cp 'JARS/*' docs/examples/OwnScorer.java {bootstrap_servers} {events} {decisions} {group} {ready}"
// or by you, while it waits (bench run fraud --scorer external --topic-prefix demo):
//   java -cp 'JARS/*' docs/examples/OwnScorer.java HOST:PORT demo.events demo.decisions my-group
// JARS: a folder with kafka-clients and what it needs, for example Riskbench's own cache (kafka-…/jars).

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

public class OwnScorer {
    // enough for a sketch; a real scorer uses a JSON library
    static final Pattern ID = Pattern.compile("\"event_id\":\"([^\"]*)\"");
    static final Pattern AMOUNT = Pattern.compile("\"amount_minor\":(\\d+)");

    public static void main(String[] arguments) throws Exception {
        String servers = arguments[0], events = arguments[1], decisions = arguments[2], group = arguments[3];
        Path ready = arguments.length > 4 ? Path.of(arguments[4]) : null;
        Map<String, Object> reading = Map.of(
            "bootstrap.servers", servers, "group.id", group, "auto.offset.reset", "earliest", "fetch.max.wait.ms", 10);
        Map<String, Object> writing = Map.of("bootstrap.servers", servers, "acks", "all", "linger.ms", 0);
        var consumer = new KafkaConsumer<>(reading, new StringDeserializer(), new StringDeserializer());
        var producer = new KafkaProducer<>(writing, new StringSerializer(), new StringSerializer());
        Runtime.getRuntime().addShutdownHook(new Thread(producer::close));
        consumer.subscribe(List.of(events));
        while (true) {
            var batch = consumer.poll(Duration.ofMillis(100));
            if (ready != null && !consumer.assignment().isEmpty() && !Files.exists(ready)) Files.createFile(ready);
            for (var record : batch) {
                long takenNs = System.nanoTime();
                Matcher id = ID.matcher(record.value()), amount = AMOUNT.matcher(record.value());
                if (!id.find() || !amount.find()) continue;
                double score = Math.min(1.0, Long.parseLong(amount.group(1)) / 100_000.0);
                String outcome = score > 0.5 ? "review" : "approve";
                String decision = String.format(Locale.ROOT,
                    "{\"event_id\":\"%s\",\"outcome\":\"%s\",\"score\":%.6f,\"taken_ns\":%d,\"emitted_ns\":%d}",
                    id.group(1), outcome, score, takenNs, System.nanoTime());
                producer.send(new ProducerRecord<>(decisions, id.group(1), decision));
            }
        }
    }
}
