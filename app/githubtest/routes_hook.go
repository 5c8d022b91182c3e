package githubtest

import (
	"net/http"
	"slices"
	"strconv"
)

func hookRoutes() []*route {
	return []*route{
		on("GET /app/hook/config", "app", getHookConfig),
		on("GET /app/hook/deliveries", "app", listDeliveries),
		on("GET /app/hook/deliveries/{delivery_id}", "app", getDelivery),
		on("POST /app/hook/deliveries/{delivery_id}/attempts", "app", redeliver),
	}
}

func getHookConfig(q *request) reply {
	return ok(object{"content_type": "json", "insecure_ssl": "0", "secret": "********", "url": q.g.hooks.url})
}

// object renders the schema hook-delivery-item.
func (d Delivery) object() object {
	id := func(n int64) any {
		if n == 0 {
			return nil
		}
		return n
	}
	return object{
		"id": d.ID, "guid": d.GUID, "delivered_at": stamp(d.Delivered), "redelivery": d.Redelivery,
		"duration": d.Duration.Seconds(), "status": d.Status, "status_code": d.StatusCode, "event": d.Event,
		"action": orNil(d.Action), "installation_id": id(d.InstallationID), "repository_id": id(d.RepositoryID), "throttled_at": nil,
	}
}

// listDeliveries pages by cursor, newest first; the cursor is the id of the last one seen.
func listDeliveries(q *request) reply {
	query := q.URL.Query()
	list := slices.Clone(q.g.deliveries)
	slices.Reverse(list)
	if cursor := query.Get("cursor"); cursor != "" {
		after, err := strconv.ParseInt(cursor, 10, 64)
		if err != nil {
			return refuse(http.StatusBadRequest, "Invalid cursor")
		}
		list = slices.DeleteFunc(list, func(d Delivery) bool { return d.ID >= after })
	}
	if status := query.Get("status"); status != "" {
		list = slices.DeleteFunc(list, func(d Delivery) bool { return (status == "success") != (d.StatusCode >= 200 && d.StatusCode < 300) })
	}
	size := 30
	if n, err := strconv.Atoi(query.Get("per_page")); err == nil && n > 0 {
		size = min(n, 100)
	}
	if len(list) > size {
		q.nextCursor("cursor", list[size-1].ID)
		list = list[:size]
	}
	return ok(each(list, Delivery.object))
}

func (q *request) delivery() (Delivery, bool) {
	at := slices.IndexFunc(q.g.deliveries, func(d Delivery) bool { return d.ID == q.number("delivery_id") })
	if at < 0 {
		return Delivery{}, false
	}
	return q.g.deliveries[at], true
}

func getDelivery(q *request) reply {
	d, found := q.delivery()
	if !found {
		return notFound()
	}
	headers := object{}
	for name, values := range d.RequestHeader {
		headers[name] = values[0]
	}
	o := d.object()
	o["url"] = q.g.hooks.url
	o["request"] = object{"headers": headers, "payload": rawJSON(d.Payload)}
	o["response"] = object{"headers": object{}, "payload": d.Response}
	return ok(o)
}

// redeliver queues a delivery again under the same GUID and answers at once.
func redeliver(q *request) reply {
	d, found := q.delivery()
	if !found {
		return notFound()
	}
	q.g.enqueue(again(d))
	return reply{status: http.StatusAccepted, body: object{}, header: jsonHeader()}
}
