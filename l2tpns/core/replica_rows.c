/* replica_rows.c -- tagged fields written from a struct and read back, driven by rows. */
#include "l2tpns/core/replica_rows.h"

#define NUMBER_LONG	127u
#define LENGTH_LONG	255u
#define MUST		0x80u
#define TIME_MAX_MS	(UINT64_C(1) << 50)

struct field {				/* one field as it stands in a record */
	uint16_t	number;
	bool		must;
	struct bytes	value;
	struct bytes	whole;		/* header and value */
};

/* The next field in its only form; false: the octets are none. */
static bool field_next(struct rd *r, struct field *field)
{
	const uint8_t *start = r->p;
	uint8_t head = rd_u8(r);
	uint16_t len;

	field->must = (head & MUST) != 0;
	field->number = head & NUMBER_LONG;
	if (field->number == NUMBER_LONG) {
		field->number = rd_u16(r);
		if (field->number < NUMBER_LONG)
			return false;
	}
	len = rd_u8(r);
	if (len == LENGTH_LONG) {
		len = rd_u16(r);
		if (len < LENGTH_LONG)
			return false;
	}
	field->value = bytes_of(rd_take(r, len), len);
	field->whole = bytes_of(start, (size_t)(r->p - start));
	return rd_ok(r) && field->number > 0;
}

static uint8_t *field_room(struct wr *w, uint8_t head, size_t len)
{
	wr_u8(w, head);
	if (len < LENGTH_LONG) {
		wr_u8(w, (uint8_t)len);
	} else {
		wr_u8(w, LENGTH_LONG);
		wr_u16(w, (uint16_t)len);
	}
	return wr_take(w, len);
}

static void field_put(struct wr *w, uint8_t head, struct bytes value)
{
	uint8_t *at = field_room(w, head, value.len);

	if (at && value.len > 0)
		memcpy(at, value.p, value.len);
}

static void uint_put(struct wr *w, uint8_t head, uint64_t value)
{
	unsigned len = value ? (unsigned)(71 - __builtin_clzll(value)) / 8 : 0;
	uint8_t *at = value ? field_room(w, head, len) : NULL;

	for (; at && len > 0; value >>= 8)
		at[--len] = (uint8_t)value;
}

/* An integer without leading zeros; 0 is never written. */
static bool uint_get(struct bytes value, uint64_t most, uint64_t *out)
{
	uint64_t n = 0;

	if (value.len == 0 || value.len > sizeof(n) || value.p[0] == 0)
		return false;
	for (uint32_t i = 0; i < value.len; i++)
		n = n << 8 | value.p[i];
	*out = n;
	return n <= most;
}

static void time_put(struct wr *w, uint8_t head, struct mono time, struct replica_clock clock)
{
	int64_t us = (int64_t)time.us + clock.offset_us;

	if (time.us == UINT64_MAX)
		field_put(w, head, (struct bytes){ 0 });
	else if (time.us != 0)		/* 0 is "not yet", and stays it: a time is at least 1 ms */
		uint_put(w, head, us < 2000 ? 1 : (uint64_t)us / 1000);
}

static bool time_get(struct bytes value, struct replica_clock clock, struct mono *out)
{
	uint64_t ms = 0;

	if (value.len == 0) {
		*out = MONO_NEVER;
		return true;
	}
	if (!uint_get(value, TIME_MAX_MS, &ms))
		return false;
	/* An offset is the difference of two such times.  What happened before our clock began happened then. */
	int64_t us = (int64_t)(ms * 1000) - clock.offset_us;

	*out = (struct mono){ us < 1 ? 1 : (uint64_t)us };
	return true;
}

static size_t ip_encode(struct ip ip, uint8_t out[16])
{
	bool is4 = ip_is4(ip);

	memcpy(out, is4 ? ip.b + 12 : ip.b, is4 ? 4 : 16);
	return is4 ? 4 : 16;
}

static bool ip_decode(struct bytes value, struct ip *ip)
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

	if (value.len != 4 && value.len != 16)
		return false;
	if (value.len == 4)
		memcpy(ip->b, mapped, sizeof(mapped));
	memcpy(ip->b + 16 - value.len, value.p, value.len);
	return value.len == 4 || (!ip_is4(*ip) && !ip_is_none(*ip));
}

static void address_put(struct wr *w, uint8_t head, struct ip ip, const uint16_t *port)
{
	uint8_t octets[18];
	size_t len = ip_encode(ip, octets);

	if (ip_is_none(ip))
		return;
	if (port) {
		octets[len++] = (uint8_t)(*port >> 8);
		octets[len++] = (uint8_t)*port;
	}
	field_put(w, head, bytes_of(octets, len));
}

static bool addr_decode(struct bytes value, struct addr *addr)
{
	if (value.len < 2)
		return false;
	value.len -= 2;
	addr->port = (uint16_t)(value.p[value.len] << 8 | value.p[value.len + 1]);
	return ip_decode(value, &addr->ip);
}

/* How many octets of the record a text may take now, `later` octets being still to come. */
static bool text_fits(const struct wr *w, uint32_t len, uint32_t later)
{
	return wr_len(w) + len + 4 + later <= REPLICA_MAX;
}

static void row_encode(const struct field_row *row, const void *object, const struct store *store, uint32_t later,
		       struct replica_clock clock, struct wr *w)
{
	const void *at = (const char *)object + row->at;
	uint8_t head = (uint8_t)(row->number | (row->must ? MUST : 0));
	struct bytes value;

	switch ((enum field_kind)row->kind) {
	case FIELD_U8:
		uint_put(w, head, *(const uint8_t *)at);
		break;
	case FIELD_U16:
		uint_put(w, head, *(const uint16_t *)at);
		break;
	case FIELD_U32:
		uint_put(w, head, *(const uint32_t *)at);
		break;
	case FIELD_PACKED:
		uint_put(w, head, row->get(object));
		break;
	case FIELD_TIME:
		time_put(w, head, *(const struct mono *)at, clock);
		break;
	case FIELD_ADDR:
		address_put(w, head, ((const struct addr *)at)->ip, &((const struct addr *)at)->port);
		break;
	case FIELD_IP:
		address_put(w, head, *(const struct ip *)at, NULL);
		break;
	case FIELD_OCTETS:
		value = row->octets(object);
		if (value.len > 0)
			field_put(w, head, value);
		break;
	case FIELD_TEXT:
		value = store_get(store, *(const uint32_t *)at);
		if (value.len > 0 && text_fits(w, value.len, later))
			field_put(w, head, value);
		break;
	}
}

static bool row_decode(const struct field_row *row, struct bytes value, struct replica_clock clock, void *object,
		       struct record_in *in)
{
	void *at = (char *)object + row->at;
	uint64_t n = 0;

	switch ((enum field_kind)row->kind) {
	case FIELD_U8:
		if (!uint_get(value, row->most, &n))
			return false;
		*(uint8_t *)at = (uint8_t)n;
		return true;
	case FIELD_U16:
		if (!uint_get(value, row->most, &n))
			return false;
		*(uint16_t *)at = (uint16_t)n;
		return true;
	case FIELD_U32:
		if (!uint_get(value, row->most, &n))
			return false;
		*(uint32_t *)at = (uint32_t)n;
		return true;
	case FIELD_PACKED:
		return uint_get(value, UINT64_MAX, &n) && row->set(object, n);
	case FIELD_TIME:
		return time_get(value, clock, at);
	case FIELD_ADDR:
		return addr_decode(value, at);
	case FIELD_IP:
		return ip_decode(value, at);
	case FIELD_OCTETS:
		return value.len > 0 && row->take(object, value);
	case FIELD_TEXT:
		in->text[row->most] = value;
		return value.len > 0;
	}
	return false;
}

/* The first field that is not written yet, if it comes before `number`. */
static bool unknown_before(struct rd *unknown, unsigned number, struct bytes *whole)
{
	struct rd r = *unknown;
	struct field field;

	if (rd_left(&r) == 0 || !field_next(&r, &field) || field.number > number)
		return false;
	*whole = field.whole;
	*unknown = r;
	return true;
}

void record_encode(const struct record_rows *rows, const void *object, const struct store *store, struct bytes unknown,
		   struct replica_clock clock, struct wr *w)
{
	uint8_t *start = w->p;
	struct wr record = wr_of(start, min_u32((uint32_t)wr_room(w), REPLICA_MAX));
	struct rd strange = rd_bytes(unknown);
	struct bytes whole;

	for (unsigned i = 0; i < rows->rows; i++) {
		while (unknown.len > 0 && unknown_before(&strange, rows->row[i].number, &whole))
			wr_bytes(&record, whole);
		row_encode(&rows->row[i], object, store, (uint32_t)rd_left(&strange), clock, &record);
	}
	wr_bytes(&record, rd_rest(&strange));
	if (wr_ok(&record))
		(void)wr_take(w, wr_len(&record));
	else if (unknown.len > 0)	/* our own fields have grown: the newer node's must give way */
		record_encode(rows, object, store, SAY_NONE, clock, w);
	else
		w->bad = true;
}

enum why record_decode(const struct record_rows *rows, struct bytes octets, struct replica_clock clock, void *object,
		       struct record_in *in)
{
	struct rd r = rd_bytes(octets);
	struct wr unknown = wr_of(in->unknown, sizeof(in->unknown));
	struct field field;
	unsigned i = 0;
	uint16_t before = 0;

	memset(in->text, 0, sizeof(in->text));
	if (octets.len > REPLICA_MAX)
		return WHY_CL_VALUE;
	for (; rd_left(&r) > 0; before = field.number) {
		if (!field_next(&r, &field) || field.number <= before)
			return WHY_CL_VALUE;
		while (i < rows->rows && rows->row[i].number < field.number)
			i++;
		bool known = i < rows->rows && rows->row[i].number == field.number;

		if (field.must != (known && rows->row[i].must))
			return WHY_CL_VALUE;
		if (known && !row_decode(&rows->row[i], field.value, clock, object, in))
			return WHY_CL_VALUE;
		if (!known)
			wr_bytes(&unknown, field.whole);
	}
	in->unknown_len = (uint32_t)wr_len(&unknown);
	return WHY_OK;
}

void record_text_set(struct store *store, uint32_t *handle, struct bytes text)
{
	if (bytes_eq(store_get(store, *handle), text))
		return;
	store_drop(store, *handle);
	*handle = store_keep(store, text);
}
