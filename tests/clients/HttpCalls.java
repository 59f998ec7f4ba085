// Java's own HttpClient with its defaults: without TLS it offers an upgrade to h2c with each request.
// java HttpCalls.java URL BOARD COLUMN prints a line for each call: its name, the status, the body.
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;

class HttpCalls {
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    public static void main(String[] arguments) throws Exception {
        String url = arguments[0];
        String board = arguments[1];
        String card = "{\"columnId\":\"" + arguments[2] + "\",\"title\":\"from Java\"}";
        String event = "{\"name\":\"agent.registered\",\"payload\":{\"agent\":\"JAVA\",\"label\":\"from Java\"}}";
        String query = "{\"query\":\"{ __typename }\"}";
        String large = "[" + (event + ",").repeat(500) + event + "]";
        call("card", url + "/api/v1/boards/" + board + "/cards", card, false);
        call("chunked-card", url + "/api/v1/boards/" + board + "/cards", card, true);
        call("event", url + "/api/v1/events", event, false);
        call("large-events", url + "/api/v1/events", large, false);
        call("chunked-events", url + "/api/v1/events", large, true);
        call("graphql", url + "/graphql", query, false);
        call("get", url + "/api/v1/healthz", null, false);
    }

    private static void call(String name, String url, String body, boolean chunked) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url));
        if (body != null) {
            byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
            request.header("Content-Type", "application/json");
            // Without a known length, the client sends chunks.
            request.POST(chunked ? BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(bytes))
                                 : BodyPublishers.ofByteArray(bytes));
        }
        var answer = CLIENT.send(request.build(), BodyHandlers.ofString());
        System.out.println(name + " " + answer.statusCode() + " " + answer.body());
    }
}
