-- The limit: one order as one function call, writing the rows that one order over HTTP writes. Written as fast as we
-- know how: no row-level security, no look-up of tenant, key or idempotency, prices and titles from one small table,
-- one random value for all ids, two statements. bench/limit.ts fills in :'names' from an order of the API and compares
-- the rows.
create schema bench;

-- What an order can name: tracked products with a price, numbered in the order of SKUs.
create table bench.skus (
  n integer primary key,
  sku text collate "C" not null,
  price bigint not null,
  title text not null,
  sku_json text not null,
  title_json text not null
);
insert into bench.skus
select row_number() over (order by sku) - 1, sku, (prices ->> 'GBP')::bigint, title, to_json(sku), to_json(title)
from products
where stock_policy = 'deny' and status = 'active' and (prices ->> 'GBP')::bigint > 0;
analyze bench.skus;

-- A digit of a number to the base 32, as ids write their time.
create function bench.digit(n bigint, place integer) returns text language sql immutable
return substr('0123456789abcdefghjkmnpqrstvwxyz', (n >> 5 * place & 31)::integer + 1, 1);

-- first < second < third, so the stock rows are locked in the order of SKUs. `shift` places the order in the past.
create function bench.place_order(first integer, second integer, third integer, shift interval default interval '0')
returns text language plpgsql as $function$
declare
  organization constant text := :'organization';
  location constant text := :'location';
  moment constant timestamptz(3) := date_trunc('milliseconds', clock_timestamp() + shift);
  moment_text constant text := to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');
  ms constant bigint := extract(epoch from moment) * 1000;
  random_id constant uuid := gen_random_uuid();
  random_hex constant text := replace(random_id::text, '-', '');
  time_of_id constant text :=
    bench.digit(ms, 9) || bench.digit(ms, 8) || bench.digit(ms, 7) || bench.digit(ms, 6) || bench.digit(ms, 5)
    || bench.digit(ms, 4) || bench.digit(ms, 3) || bench.digit(ms, 2) || bench.digit(ms, 1) || bench.digit(ms, 0);
  stem constant text := time_of_id || right(random_hex, 14);
  order_id constant text := 'ord_' || stem || '00';
  request constant text := 'req_' || stem || '00';
  line_a constant text := 'lin_' || left(stem, 12) || left(random_hex, 14);
  line_b constant text := 'lin_' || left(stem, 12) || substr(random_hex, 10, 14);
  line_c constant text := 'lin_' || left(stem, 12) || right(random_hex, 14);
  trace constant text := '00-' || random_hex || '-' || left(random_hex, 16) || '-01';
  number constant text := to_char(moment at time zone 'UTC', 'YYYYMMDD-')
    || upper(translate(encode(substr(uuid_send(random_id), 11, 6), 'base64'), '+/', '89'));
  item record;
  total bigint;
  filling text[];
  moved bigint;
begin
  select a.sku as sku_a, a.price as price_a, a.title as title_a, a.sku_json as sku_json_a, a.title_json as title_json_a,
    b.sku as sku_b, b.price as price_b, b.title as title_b, b.sku_json as sku_json_b, b.title_json as title_json_b,
    c.sku as sku_c, c.price as price_c, c.title as title_c, c.sku_json as sku_json_c, c.title_json as title_json_c
  into strict item
  from bench.skus a, bench.skus b, bench.skus c
  where a.n = first and b.n = second and c.n = third;
  total := item.price_a + 2 * item.price_b + 3 * item.price_c;

  filling := array[order_id, number, moment_text, total::text,
    line_a, item.sku_json_a, item.title_json_a, item.price_a::text,
    line_b, item.sku_json_b, item.title_json_b, item.price_b::text, (2 * item.price_b)::text,
    line_c, item.sku_json_c, item.title_json_c, item.price_c::text, (3 * item.price_c)::text];

  with placed as (
    insert into orders (organization_id, id, number, status, location_id, payment_terms, currency, items_amount,
      discount_amount, shipping_amount, tax_amount, total_amount, metadata, placed_at, confirmed_at, version, created_at,
      updated_at)
    values (organization, order_id, number, 'confirmed', location, 'onAccount', 'GBP', total, 0, 0, 0, total, '{}',
      moment, moment, 2, moment, moment)
  ), lines as (
    insert into order_lines (organization_id, order_id, position, id, sku, title, tracked, quantity, quantity_cancelled,
      quantity_fulfilled, unit_price_amount, discount_amount, tax_amount, total_amount, metadata)
    values
      (organization, order_id, 0, line_a, item.sku_a, item.title_a, true, 1, 0, 0, item.price_a, 0, 0, item.price_a,
        '{}'),
      (organization, order_id, 1, line_b, item.sku_b, item.title_b, true, 2, 0, 0, item.price_b, 0, 0,
        2 * item.price_b, '{}'),
      (organization, order_id, 2, line_c, item.sku_c, item.title_c, true, 3, 0, 0, item.price_c, 0, 0,
        3 * item.price_c, '{}')
  ), reserved as (
    insert into reservations (organization_id, id, order_id, sku, location_id, quantity, state, version, created_at,
      updated_at)
    values
      (organization, 'rsv_' || stem || '00', order_id, item.sku_a, location, 1, 'firm', 1, moment, moment),
      (organization, 'rsv_' || stem || '01', order_id, item.sku_b, location, 2, 'firm', 1, moment, moment),
      (organization, 'rsv_' || stem || '02', order_id, item.sku_c, location, 3, 'firm', 1, moment, moment)
  ), events as (
    insert into ledger (organization_id, id, type, occurred_at, actor, request_id, traceparent, resource_type,
      resource_id, resource_version, changed, data)
    values
      (organization, 'evt_' || stem || '00', 'order.placed', moment, :'ledger_actor', request, trace, 'order', order_id,
        1, '{}', format(:'placed', variadic filling)::jsonb),
      (organization, 'evt_' || stem || '01', 'order.confirmed', moment, :'ledger_actor', request, trace, 'order',
        order_id, 2, '{status,confirmedAt}', format(:'confirmed', variadic filling)::jsonb)
  ), answer as (
    insert into idempotency_keys (organization_id, principal_id, key, fingerprint, status, etag, location, data,
      created_at)
    values (organization, :'principal', random_id::text, left(stem || random_hex, 43), 201,
      '"2.' || left(random_hex, 6) || '"', '/v1/orders/' || order_id, format(:'answer', variadic filling), moment)
  ), levels as (
    update stock_levels s set reserved = s.reserved + d.quantity
    from (values (item.sku_a, 1, '00'), (item.sku_b, 2, '01'), (item.sku_c, 3, '02')) as d (sku, quantity, suffix)
    where s.organization_id = organization and s.sku = d.sku and s.location_id = location
      and s.on_hand - s.reserved - s.safety_stock >= d.quantity
    returning s.sku, s.on_hand, s.reserved, d.quantity, d.suffix
  )
  insert into stock_movements (organization_id, sku, location_id, id, type, on_hand_change, reserved_change, on_hand,
    reserved, order_id, actor, request_id, occurred_at)
  select organization, sku, location, 'mov_' || stem || suffix, 'reserve', 0, quantity, on_hand, reserved,
      order_id, :'movement_actor', request, moment
  from levels;
  get diagnostics moved = row_count;
  if moved <> 3 then
    raise 'not enough stock';
  end if;
  return order_id;
end
$function$;
