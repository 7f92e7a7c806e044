-- Fails the statement that places orders, and with it whatever was sent behind it, COMMIT included. The detail says what
-- fell short.
create function refuse_shortages(shortages json) returns text
language plpgsql
as $function$
begin
  raise exception 'not enough stock' using errcode = 'PU001', detail = shortages::text;
end
$function$;
