BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0010');
CREATE TABLE api_tokens (
	id VARCHAR(36) NOT NULL, 
	operator VARCHAR(36) NOT NULL, 
	secret_sha256 VARCHAR(64) NOT NULL, 
	sealed_label BLOB, 
	scopes TEXT NOT NULL, 
	created_at VARCHAR(27) NOT NULL, 
	used_at VARCHAR(27), 
	expires_at VARCHAR(27), 
	revoked_at VARCHAR(27), 
	CONSTRAINT pk_api_tokens PRIMARY KEY (id), 
	CONSTRAINT fk_api_tokens_operator FOREIGN KEY(operator) REFERENCES operators (id), 
	CONSTRAINT uq_api_tokens_secret_sha256 UNIQUE (secret_sha256)
);
CREATE TABLE checkpoints (
	device VARCHAR(64) NOT NULL, 
	position BIGINT NOT NULL, 
	hash VARCHAR(64) NOT NULL, 
	at VARCHAR(27) NOT NULL, 
	public_key VARCHAR(64) NOT NULL, 
	signature VARCHAR(128) NOT NULL, 
	CONSTRAINT pk_checkpoints PRIMARY KEY (device, position), 
	CONSTRAINT fk_checkpoints_device FOREIGN KEY(device) REFERENCES devices (id)
);
CREATE TABLE coffees (
	event VARCHAR(36) NOT NULL, 
	device VARCHAR(64) NOT NULL, 
	at VARCHAR(27) NOT NULL, 
	day VARCHAR(10) NOT NULL, 
	said VARCHAR(36), 
	subject VARCHAR(36), 
	visitor INTEGER, 
	holds BOOLEAN NOT NULL, 
	CONSTRAINT pk_coffees PRIMARY KEY (event), 
	CONSTRAINT fk_coffees_device FOREIGN KEY(device) REFERENCES devices (id), 
	CONSTRAINT fk_coffees_said FOREIGN KEY(said) REFERENCES subjects (id), 
	CONSTRAINT fk_coffees_subject FOREIGN KEY(subject) REFERENCES subjects (id)
);
INSERT INTO "coffees" VALUES('019b9853-fe00-707c-a451-7d6c6694f229','box','2026-01-07T12:00:00.000000Z','2026-01-07','019b8e07-4600-7d8f-91b7-584a2265b1f5','019b8e07-4600-7d8f-91b7-584a2265b1f5',NULL,1);
CREATE TABLE consents (
	id VARCHAR(36) NOT NULL, 
	subject VARCHAR(36) NOT NULL, 
	purposes TEXT NOT NULL, 
	text_version VARCHAR(64) NOT NULL, 
	sealed_given_by BLOB, 
	given_at VARCHAR(27) NOT NULL, 
	withdrawn_at VARCHAR(27), 
	CONSTRAINT pk_consents PRIMARY KEY (id), 
	CONSTRAINT fk_consents_subject FOREIGN KEY(subject) REFERENCES subjects (id)
);
INSERT INTO "consents" VALUES('019b8e07-4600-7102-8386-bbc4cd613e30','019b8e07-4600-7d8f-91b7-584a2265b1f5','["identify"]','2026-01',X'EA4574B013F4A0C39A2E287A3C3D158B09A149B00F7A72138B792812256DE8E8849ED146E7','2026-01-05T12:00:00.000000Z',NULL);
CREATE TABLE counted (
	device VARCHAR(64) NOT NULL, 
	encounter VARCHAR(64) NOT NULL, 
	counter VARCHAR(64) NOT NULL, 
	subject VARCHAR(36) NOT NULL, 
	day VARCHAR(10) NOT NULL, 
	decided INTEGER NOT NULL, 
	holds INTEGER NOT NULL, 
	CONSTRAINT pk_counted PRIMARY KEY (device, encounter, counter, subject), 
	CONSTRAINT fk_counted_device FOREIGN KEY(device) REFERENCES devices (id), 
	CONSTRAINT fk_counted_subject FOREIGN KEY(subject) REFERENCES subjects (id)
);
CREATE TABLE counters (
	device VARCHAR(64) NOT NULL, 
	subject VARCHAR(36) NOT NULL, 
	counter VARCHAR(64) NOT NULL, 
	day VARCHAR(10) NOT NULL, 
	count INTEGER NOT NULL, 
	CONSTRAINT pk_counters PRIMARY KEY (device, subject, counter, day), 
	CONSTRAINT fk_counters_device FOREIGN KEY(device) REFERENCES devices (id), 
	CONSTRAINT fk_counters_subject FOREIGN KEY(subject) REFERENCES subjects (id)
);
INSERT INTO "counters" VALUES('box','019b8e07-4600-7d8f-91b7-584a2265b1f5','greetings','2026-01-05',3);
CREATE TABLE devices (
	id VARCHAR(64) NOT NULL, 
	position BIGINT NOT NULL, 
	hash VARCHAR(64) NOT NULL, 
	checkpointed BIGINT NOT NULL, 
	created_at VARCHAR(27) NOT NULL, 
	CONSTRAINT pk_devices PRIMARY KEY (id)
);
INSERT INTO "devices" VALUES('box',15,'e5517a271273f7682bb71c752db2935a308fd526d13806705523c5bd12f61e4c',0,'2026-01-05T12:00:00.000000Z');
CREATE TABLE events (
	device VARCHAR(64) NOT NULL, 
	position BIGINT NOT NULL, 
	id VARCHAR(36) NOT NULL, 
	type VARCHAR(64) NOT NULL, 
	version INTEGER NOT NULL, 
	at VARCHAR(27) NOT NULL, 
	boot VARCHAR(64) NOT NULL, 
	subject VARCHAR(36), 
	body TEXT, 
	body_sha256 VARCHAR(64) NOT NULL, 
	dropped_at VARCHAR(27), 
	sealed_for VARCHAR(36), 
	sealed_personal BLOB, 
	sealed_sha256 VARCHAR(64), 
	previous VARCHAR(64) NOT NULL, 
	hash VARCHAR(64) NOT NULL, encounter VARCHAR(64), visit VARCHAR(64), door VARCHAR(64), 
	CONSTRAINT pk_events PRIMARY KEY (device, position), 
	CONSTRAINT fk_events_device FOREIGN KEY(device) REFERENCES devices (id), 
	CONSTRAINT uq_events_id UNIQUE (id)
);
INSERT INTO "events" VALUES('box',1,'019b8e07-4600-77ed-9e2f-eb89414c343c','subject_enrolled',1,'2026-01-05T12:00:00.000000Z','first','019b8e07-4600-7d8f-91b7-584a2265b1f5','{"by":null,"camera":null,"door":null,"subject":"019b8e07-4600-7d8f-91b7-584a2265b1f5","type":"subject_enrolled","version":1,"visit":null}','a8170e5d4a5dd58d01ff3cafb362acca4fcb986f302279154d0af0e9fe6c2d21',NULL,NULL,NULL,NULL,'0000000000000000000000000000000000000000000000000000000000000000','e42987cd5450a13e47883e831f7b14446ae04a9784cdca9c293cdee3feaef8a9',NULL,NULL,NULL);
INSERT INTO "events" VALUES('box',2,'019b8e07-4600-778e-b311-d8a3c2ce6f44','consent_given',1,'2026-01-05T12:00:00.000000Z','first','019b8e07-4600-7d8f-91b7-584a2265b1f5','{"by":null,"camera":null,"door":null,"purposes":["identify"],"subject":"019b8e07-4600-7d8f-91b7-584a2265b1f5","text_version":"2026-01","type":"consent_given","version":1,"visit":null}','3779b05ac933f7f86165d0285ef10272b37517e03d5756a8a4ec105f543d6ef5',NULL,NULL,NULL,NULL,'e42987cd5450a13e47883e831f7b14446ae04a9784cdca9c293cdee3feaef8a9','f8cf89803ad70cf511eec8be15d48fcbd59db2b3fa079962f6b7657b382bce7a',NULL,NULL,NULL);
INSERT INTO "events" VALUES('box',3,'019b8e07-4600-77ce-9807-2e8c35bf992d','reference_added',1,'2026-01-05T12:00:00.000000Z','first','019b8e07-4600-7d8f-91b7-584a2265b1f5','{"by":null,"camera":null,"door":null,"models":["dlib","sface"],"reference":"019b8e07-4600-7c9e-a12e-7696a6cecc1b","subject":"019b8e07-4600-7d8f-91b7-584a2265b1f5","type":"reference_added","version":1,"visit":null}','dd7d2b49b4645eebfc26449c04264dec961118e5b3000270805c4cab87f1f072',NULL,NULL,NULL,NULL,'f8cf89803ad70cf511eec8be15d48fcbd59db2b3fa079962f6b7657b382bce7a','28f8cd45a85e8f489522fb9612b23372fa1f9524a314b8249304173f4694f82e',NULL,NULL,NULL);
INSERT INTO "events" VALUES('box',4,'019b8e07-4600-7d5f-a4b0-6ce60741c7a8','door_opened',1,'2026-01-05T12:00:00.000000Z','first',NULL,'{"by":null,"camera":"entrance","door":"main","fraction":0.25,"state":"open","type":"door_opened","version":1,"visit":null}','a8de16196bad1d3d38bd6c676534f4ed06935d9ffdbb13b3d19be386ca457fef',NULL,NULL,NULL,NULL,'28f8cd45a85e8f489522fb9612b23372fa1f9524a314b8249304173f4694f82e','a9d1aa0449ae5e1491c41df3e3a034587827612860882f2c219f740ad7ea03af',NULL,NULL,'main');
INSERT INTO "events" VALUES('box',5,'019b8e07-4600-79b8-aec9-d28663ca828d','action_dead',1,'2026-01-05T12:00:00.000000Z','first',NULL,'{"action":"act","by":null,"camera":null,"door":null,"event":"019b8e07-4600-7d5f-a4b0-6ce60741c7a8","reason":"no such program","type":"action_dead","version":1,"visit":null}','f98b3f5d98b65ff3d4b4912141ecb4122d0978e9bfb235fd4d8f092742ae5381',NULL,NULL,NULL,NULL,'a9d1aa0449ae5e1491c41df3e3a034587827612860882f2c219f740ad7ea03af','219c44a5ef0f5a5137e7962c7a6fe497318b3246091a8005b80bcff9d70239f3',NULL,NULL,NULL);
INSERT INTO "events" VALUES('box',6,'019b8e07-4600-7008-8464-7159c324c985','subject_strictness_changed',1,'2026-01-05T12:00:00.000000Z','first','019b8e07-4600-7d8f-91b7-584a2265b1f5','{"by":null,"camera":null,"door":null,"strictness":10.0,"subject":"019b8e07-4600-7d8f-91b7-584a2265b1f5","type":"subject_strictness_changed","version":1,"visit":null}','f62b24488b041e5ec911d667338d9be99146dd46bbbcd2d6a25f7e1479bf8a10',NULL,NULL,NULL,NULL,'219c44a5ef0f5a5137e7962c7a6fe497318b3246091a8005b80bcff9d70239f3','fb4a97a180dede5c4bd6882e936182cb500668b8cc612083f09a4f08afdb598a',NULL,NULL,NULL);
INSERT INTO "events" VALUES('box',7,'019b8e07-4600-71a2-b1fd-42a29755d4c1','operator_added',1,'2026-01-05T12:00:00.000000Z','first',NULL,'{"by":null,"camera":null,"disabled":false,"door":null,"operator":"019b8e07-4600-73a9-8d44-7e35b8b6d8fe","role":"admin","type":"operator_added","version":1,"visit":null}','03047cdf3faf3ddd4e0593d0f5a0ca7eb65f4c9887d53e84b5dd7a5c5f53c905',NULL,NULL,NULL,NULL,'fb4a97a180dede5c4bd6882e936182cb500668b8cc612083f09a4f08afdb598a','8e2b1f1136f788d72b40303d23a9cd03245bc1648949b71d8063f4d140003f4a',NULL,NULL,NULL);
INSERT INTO "events" VALUES('box',8,'019b8e07-4600-707d-9143-1193e6c3f339','subject_identified',1,'2026-01-05T12:00:00.000000Z','first','019b8e07-4600-7d8f-91b7-584a2265b1f5','{"by":null,"camera":null,"door":"main","encounter":"e","facts":{"candidates":[],"composition":"fused","confirm_frames":null,"extrapolated":false,"fnmr":0.02,"fpir":0.001,"frames":[],"frames_seen":1,"gallery_size":1,"gallery_version":1,"greeted":null,"looks":1,"margin":null,"margin_wanted":0.05,"policy_version":2,"references":1,"repeats_confirmed":false,"rule":"score_and_margin","score":0.5,"stranger_band":0.04,"stricter_threshold":null,"strictness":1.0,"table":[1,1],"tables":"","threshold":0.1},"grade":"greeting","repeated":false,"subject":"019b8e07-4600-7d8f-91b7-584a2265b1f5","type":"subject_identified","version":1,"visit":"v"}','b856b17056357312aa5340807204bcf8ae7ede5254fd5f834b49b38e5e272167',NULL,NULL,NULL,NULL,'8e2b1f1136f788d72b40303d23a9cd03245bc1648949b71d8063f4d140003f4a','68b32d660eec5868ff22e64b23e31fbf68fb04a02159e72c0915c74c840bfc50','e','v','main');
INSERT INTO "events" VALUES('box',9,'019b9853-fe00-7317-a057-38d16018366c','rule_added',1,'2026-01-07T12:00:00.000000Z','first',NULL,'{"by":null,"camera":null,"door":null,"enabled":true,"rule":"019b9853-fe00-7f65-9ed3-4fe53a096533","type":"rule_added","version":1,"visit":null}','9227c7bcf1d951eeb8220067c32390502fb7a82c831c4153daa6e3149f2c2f90',NULL,NULL,NULL,NULL,'68b32d660eec5868ff22e64b23e31fbf68fb04a02159e72c0915c74c840bfc50','2e1b78793a917ed805ff14c1b9354d39494eadc7bf055f0e1b8d0502122cefa9',NULL,NULL,NULL);
INSERT INTO "events" VALUES('box',10,'019b9853-fe00-7cfa-bf58-4ad4230824d2','group_added',1,'2026-01-07T12:00:00.000000Z','first',NULL,'{"by":null,"camera":null,"door":null,"group":"019b9853-fe00-715c-8b35-10b0b46ee1da","subject":null,"type":"group_added","version":1,"visit":null}','61c25549bdc3f41b8acb00756eb9a7ea950857cb28c528761d085dac4ff2675e',NULL,NULL,NULL,NULL,'2e1b78793a917ed805ff14c1b9354d39494eadc7bf055f0e1b8d0502122cefa9','bdd26011586b6e104d4e46b8bcd543c1433e068719ab73a8f0e2c1af8da82da2',NULL,NULL,NULL);
INSERT INTO "events" VALUES('box',11,'019b9853-fe00-7359-81a0-d5b3ffc6e35c','group_joined',1,'2026-01-07T12:00:00.000000Z','first','019b8e07-4600-7d8f-91b7-584a2265b1f5','{"by":null,"camera":null,"door":null,"group":"019b9853-fe00-715c-8b35-10b0b46ee1da","subject":"019b8e07-4600-7d8f-91b7-584a2265b1f5","type":"group_joined","version":1,"visit":null}','217ee0a63e2459de4e65cbad03b12cd39762b9aa06f928aebcf40fa1c5e61865',NULL,NULL,NULL,NULL,'bdd26011586b6e104d4e46b8bcd543c1433e068719ab73a8f0e2c1af8da82da2','f0d39fac6f5ce1a1999484ecb8e32bc013964c06fab7b53891b96a79f6b70668',NULL,NULL,NULL);
INSERT INTO "events" VALUES('box',12,'019b9853-fe00-707c-a451-7d6c6694f229','coffee_taken',1,'2026-01-07T12:00:00.000000Z','first','019b8e07-4600-7d8f-91b7-584a2265b1f5','{"by":null,"camera":"kitchen","door":null,"encounter":"e9","label":"cup","score":1.0,"subject":"019b8e07-4600-7d8f-91b7-584a2265b1f5","type":"coffee_taken","version":1,"visit":null,"visitor":null}','3b257dd612ad78b0fb346f36cc0c585ddf438241c23e669b02366e162a5bddbe',NULL,NULL,NULL,NULL,'f0d39fac6f5ce1a1999484ecb8e32bc013964c06fab7b53891b96a79f6b70668','a2dd06bbd79e1c95f7bafdbe80743af42d8bf579c29213b9aaeef48ee13a25da','e9',NULL,NULL);
INSERT INTO "events" VALUES('box',13,'019b9853-fe00-792b-beb7-2f8263f65da8','song_added',1,'2026-01-07T12:00:00.000000Z','first',NULL,'{"by":null,"camera":null,"door":null,"song":"019b9853-fe00-7740-bcc6-61e97589ca4a","subject":null,"type":"song_added","version":1,"visit":null}','9042c9b27819203a9c907c4cb0ac9b2d64988c93de55f5de2c7477c13cdaa937',NULL,NULL,NULL,NULL,'a2dd06bbd79e1c95f7bafdbe80743af42d8bf579c29213b9aaeef48ee13a25da','fb2de1b6bb99d4b5cd5470039e4c2c0eb0f4153506a8ed7957ba31dc2678a326',NULL,NULL,NULL);
INSERT INTO "events" VALUES('box',14,'019b9853-fe00-7d49-a5b8-063831360a40','song_given',1,'2026-01-07T12:00:00.000000Z','first','019b8e07-4600-7d8f-91b7-584a2265b1f5','{"by":null,"camera":null,"door":null,"song":"019b9853-fe00-7740-bcc6-61e97589ca4a","subject":"019b8e07-4600-7d8f-91b7-584a2265b1f5","type":"song_given","version":1,"visit":null}','b26bf911d2ca0a84cec120ced2996d0da34b161f8e2d017775ed90a853a0d209',NULL,NULL,NULL,NULL,'fb2de1b6bb99d4b5cd5470039e4c2c0eb0f4153506a8ed7957ba31dc2678a326','a6514448d16c1e1efdc3e7723e03db1792701394ea9a1570441e5af0f57448a2',NULL,NULL,NULL);
INSERT INTO "events" VALUES('box',15,'019b9853-fe00-77c2-96ed-c5d467164890','pin_set',1,'2026-01-07T12:00:00.000000Z','first','019b8e07-4600-7d8f-91b7-584a2265b1f5','{"by":null,"camera":null,"door":null,"subject":"019b8e07-4600-7d8f-91b7-584a2265b1f5","type":"pin_set","version":1,"visit":null}','bb03fc7d523a893860a840ace8fe4ffbd2f049d41c63df32b46c31797b19cb8a',NULL,NULL,NULL,NULL,'a6514448d16c1e1efdc3e7723e03db1792701394ea9a1570441e5af0f57448a2','e5517a271273f7682bb71c752db2935a308fd526d13806705523c5bd12f61e4c',NULL,NULL,NULL);
CREATE TABLE face_references (
	id VARCHAR(36) NOT NULL, 
	subject VARCHAR(36) NOT NULL, 
	created_at VARCHAR(27) NOT NULL, 
	quality FLOAT NOT NULL, 
	sealed_details BLOB NOT NULL, 
	CONSTRAINT pk_face_references PRIMARY KEY (id), 
	CONSTRAINT fk_face_references_subject FOREIGN KEY(subject) REFERENCES subjects (id)
);
INSERT INTO "face_references" VALUES('019b8e07-4600-7c9e-a12e-7696a6cecc1b','019b8e07-4600-7d8f-91b7-584a2265b1f5','2026-01-05T12:00:00.000000Z',50.0,X'384790F901E30C4227F3B5220501BAC80993');
CREATE TABLE gallery (
	only BOOLEAN NOT NULL, 
	version BIGINT NOT NULL, 
	CONSTRAINT pk_gallery PRIMARY KEY (only)
);
INSERT INTO "gallery" VALUES(1,3);
CREATE TABLE group_members (
	"group" VARCHAR(36) NOT NULL, 
	subject VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_group_members PRIMARY KEY ("group", subject), 
	CONSTRAINT fk_group_members_group FOREIGN KEY("group") REFERENCES groups (id) ON DELETE CASCADE, 
	CONSTRAINT fk_group_members_subject FOREIGN KEY(subject) REFERENCES subjects (id)
);
INSERT INTO "group_members" VALUES('019b9853-fe00-715c-8b35-10b0b46ee1da','019b8e07-4600-7d8f-91b7-584a2265b1f5');
CREATE TABLE groups (
	id VARCHAR(36) NOT NULL, 
	label VARCHAR(64) NOT NULL, 
	created_at VARCHAR(27) NOT NULL, 
	CONSTRAINT pk_groups PRIMARY KEY (id)
);
INSERT INTO "groups" VALUES('019b9853-fe00-715c-8b35-10b0b46ee1da','Night shift','2026-01-07T12:00:00.000000Z');
CREATE TABLE moment_clips (
	clip VARCHAR(36) NOT NULL, 
	place INTEGER NOT NULL, 
	begin_ms BIGINT NOT NULL, 
	end_ms BIGINT, 
	CONSTRAINT pk_moment_clips PRIMARY KEY (clip)
);
CREATE TABLE moment_counts (
	span INTEGER NOT NULL, 
	label INTEGER NOT NULL, 
	start BIGINT NOT NULL, 
	place INTEGER NOT NULL, 
	percent INTEGER NOT NULL, 
	many INTEGER NOT NULL, 
	CONSTRAINT pk_moment_counts PRIMARY KEY (span, label, start, place, percent)
)
 WITHOUT ROWID

;
INSERT INTO "moment_counts" VALUES(-3600,1,1767614400,1,0,3);
INSERT INTO "moment_counts" VALUES(-3600,2,1767614400,1,0,3);
INSERT INTO "moment_counts" VALUES(-3600,3,1767614400,1,0,4);
INSERT INTO "moment_counts" VALUES(-3600,3,1767614400,2,0,1);
INSERT INTO "moment_counts" VALUES(-900,1,1767614400,1,0,3);
INSERT INTO "moment_counts" VALUES(-900,2,1767614400,1,0,3);
INSERT INTO "moment_counts" VALUES(-900,3,1767614400,1,0,4);
INSERT INTO "moment_counts" VALUES(-900,3,1767614400,2,0,1);
INSERT INTO "moment_counts" VALUES(900,1,1767614400,1,50,1);
INSERT INTO "moment_counts" VALUES(900,1,1767614400,1,51,1);
INSERT INTO "moment_counts" VALUES(900,1,1767614400,1,52,1);
INSERT INTO "moment_counts" VALUES(900,2,1767614400,1,25,3);
INSERT INTO "moment_counts" VALUES(900,3,1767614400,1,0,1);
INSERT INTO "moment_counts" VALUES(900,3,1767614400,1,50,1);
INSERT INTO "moment_counts" VALUES(900,3,1767614400,1,51,1);
INSERT INTO "moment_counts" VALUES(900,3,1767614400,1,52,1);
INSERT INTO "moment_counts" VALUES(900,3,1767614400,2,0,1);
INSERT INTO "moment_counts" VALUES(3600,1,1767614400,1,50,1);
INSERT INTO "moment_counts" VALUES(3600,1,1767614400,1,51,1);
INSERT INTO "moment_counts" VALUES(3600,1,1767614400,1,52,1);
INSERT INTO "moment_counts" VALUES(3600,2,1767614400,1,25,3);
INSERT INTO "moment_counts" VALUES(3600,3,1767614400,1,0,1);
INSERT INTO "moment_counts" VALUES(3600,3,1767614400,1,50,1);
INSERT INTO "moment_counts" VALUES(3600,3,1767614400,1,51,1);
INSERT INTO "moment_counts" VALUES(3600,3,1767614400,1,52,1);
INSERT INTO "moment_counts" VALUES(3600,3,1767614400,2,0,1);
CREATE TABLE moment_cursors (
	device VARCHAR(64) NOT NULL, 
	name VARCHAR(64) NOT NULL, 
	position BIGINT NOT NULL, 
	many BIGINT NOT NULL, 
	trouble TEXT, 
	changed_at VARCHAR(27) NOT NULL, 
	CONSTRAINT pk_moment_cursors PRIMARY KEY (device, name)
);
INSERT INTO "moment_cursors" VALUES('box','log',15,2,NULL,'2026-01-05T12:00:00.000000Z');
CREATE TABLE moment_labels (
	id INTEGER NOT NULL, 
	label VARCHAR(64) NOT NULL, 
	CONSTRAINT pk_moment_labels PRIMARY KEY (id), 
	CONSTRAINT uq_moment_labels_label UNIQUE (label)
);
INSERT INTO "moment_labels" VALUES(1,'dog');
INSERT INTO "moment_labels" VALUES(2,'sofa');
INSERT INTO "moment_labels" VALUES(3,'');
CREATE TABLE moment_marks (
	label INTEGER NOT NULL, 
	place INTEGER NOT NULL, 
	at BIGINT NOT NULL, 
	moment BIGINT NOT NULL, 
	score INTEGER NOT NULL, 
	CONSTRAINT pk_moment_marks PRIMARY KEY (label, place, at, moment)
)
 WITHOUT ROWID

;
INSERT INTO "moment_marks" VALUES(1,1,1767614400000,1,5000);
INSERT INTO "moment_marks" VALUES(1,1,1767614401000,2,5100);
INSERT INTO "moment_marks" VALUES(1,1,1767614402000,3,5200);
INSERT INTO "moment_marks" VALUES(2,1,1767614400000,1,2500);
INSERT INTO "moment_marks" VALUES(2,1,1767614401000,2,2500);
INSERT INTO "moment_marks" VALUES(2,1,1767614402000,3,2500);
INSERT INTO "moment_marks" VALUES(3,1,1767614400000,1,5000);
INSERT INTO "moment_marks" VALUES(3,1,1767614400000,4,0);
INSERT INTO "moment_marks" VALUES(3,1,1767614401000,2,5100);
INSERT INTO "moment_marks" VALUES(3,1,1767614402000,3,5200);
INSERT INTO "moment_marks" VALUES(3,2,1767614400000,5,0);
CREATE TABLE moment_places (
	id INTEGER NOT NULL, 
	device VARCHAR(64) NOT NULL, 
	camera VARCHAR(64) NOT NULL, 
	CONSTRAINT pk_moment_places PRIMARY KEY (id), 
	CONSTRAINT uq_moment_places_device UNIQUE (device, camera)
);
INSERT INTO "moment_places" VALUES(1,'box','entrance');
INSERT INTO "moment_places" VALUES(2,'box','');
CREATE TABLE moments (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	place INTEGER NOT NULL, 
	at BIGINT NOT NULL, 
	kind VARCHAR(64) NOT NULL, 
	body TEXT NOT NULL, 
	source VARCHAR(64), 
	door VARCHAR(64), 
	verdict VARCHAR(16), 
	subject VARCHAR(36), 
	about VARCHAR(64), 
	event VARCHAR(36), 
	corrected BOOLEAN NOT NULL
);
INSERT INTO "moments" VALUES(1,1,1767614400000,'seen','{"dog":0.5,"sofa":0.25}',NULL,NULL,NULL,NULL,NULL,NULL,0);
INSERT INTO "moments" VALUES(2,1,1767614401000,'seen','{"dog":0.51,"sofa":0.25}',NULL,NULL,NULL,NULL,NULL,NULL,0);
INSERT INTO "moments" VALUES(3,1,1767614402000,'seen','{"dog":0.52,"sofa":0.25}',NULL,NULL,NULL,NULL,NULL,NULL,0);
INSERT INTO "moments" VALUES(4,1,1767614400000,'door_opened','{}',NULL,'main',NULL,NULL,'019b8e07-4600-7d5f-a4b0-6ce60741c7a8','019b8e07-4600-7d5f-a4b0-6ce60741c7a8',0);
INSERT INTO "moments" VALUES(5,2,1767614400000,'encounter','{}',NULL,'main','identified','019b8e07-4600-7d8f-91b7-584a2265b1f5','e','019b8e07-4600-707d-9143-1193e6c3f339',0);
CREATE TABLE one_time_codes (
	id VARCHAR(36) NOT NULL, 
	code_sha256 VARCHAR(64) NOT NULL, 
	purpose VARCHAR(16) NOT NULL, 
	operator VARCHAR(36), 
	label VARCHAR(64) NOT NULL, 
	made_by VARCHAR(36), 
	attempts INTEGER NOT NULL, 
	created_at VARCHAR(27) NOT NULL, 
	expires_at VARCHAR(27) NOT NULL, lock VARCHAR(64), 
	CONSTRAINT pk_one_time_codes PRIMARY KEY (id), 
	CONSTRAINT fk_one_time_codes_operator FOREIGN KEY(operator) REFERENCES operators (id), 
	CONSTRAINT uq_one_time_codes_code_sha256 UNIQUE (code_sha256)
);
CREATE TABLE operator_sessions (
	id VARCHAR(36) NOT NULL, 
	operator VARCHAR(36) NOT NULL, 
	secret_sha256 VARCHAR(64) NOT NULL, 
	created_at VARCHAR(27) NOT NULL, 
	used_at VARCHAR(27) NOT NULL, 
	expires_at VARCHAR(27) NOT NULL, 
	CONSTRAINT pk_operator_sessions PRIMARY KEY (id), 
	CONSTRAINT fk_operator_sessions_operator FOREIGN KEY(operator) REFERENCES operators (id), 
	CONSTRAINT uq_operator_sessions_secret_sha256 UNIQUE (secret_sha256)
);
CREATE TABLE operators (
	id VARCHAR(36) NOT NULL, 
	role VARCHAR(16) NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	wrapped_key BLOB, 
	sealed_login BLOB, 
	password_hash TEXT, 
	created_at VARCHAR(27) NOT NULL, 
	changed_at VARCHAR(27) NOT NULL, 
	CONSTRAINT pk_operators PRIMARY KEY (id)
);
INSERT INTO "operators" VALUES('019b8e07-4600-73a9-8d44-7e35b8b6d8fe','admin','active',X'84F40369D3BC34F5E98FADF541758DB096913EF073',X'41A8B4AF8FD899C56E56175A99E4C6F46B7B25','$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$x','2026-01-05T12:00:00.000000Z','2026-01-05T12:00:00.000000Z');
CREATE TABLE outbox (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	device VARCHAR(64) NOT NULL, 
	event VARCHAR(36) NOT NULL, 
	action VARCHAR(64) NOT NULL, 
	delivery VARCHAR(16) NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	attempts INTEGER NOT NULL, 
	not_before VARCHAR(27) NOT NULL, 
	deadline VARCHAR(27) NOT NULL, 
	window_s FLOAT NOT NULL, 
	started_at VARCHAR(27), 
	finished_at VARCHAR(27), 
	last_error TEXT, 
	idempotency_key VARCHAR(101) NOT NULL, rule VARCHAR(36), parameters TEXT, 
	CONSTRAINT fk_outbox_device FOREIGN KEY(device) REFERENCES devices (id), 
	CONSTRAINT fk_outbox_event FOREIGN KEY(event) REFERENCES events (id), 
	CONSTRAINT uq_outbox_idempotency_key UNIQUE (idempotency_key)
);
INSERT INTO "outbox" VALUES(1,'box','019b8e07-4600-7d5f-a4b0-6ce60741c7a8','act','at_least_once','dead',1,'2026-01-05T12:00:00.000000Z','2026-01-05T12:00:30.000000Z',30.0,'2026-01-05T12:00:00.000000Z','2026-01-05T12:00:00.000000Z','no such program','019b8e07-4600-7d5f-a4b0-6ce60741c7a8:act','019b9853-fe00-7f65-9ed3-4fe53a096533','{"seconds":8.0,"text":"hello"}');
CREATE TABLE pins (
	subject VARCHAR(36) NOT NULL, 
	sealed_hash BLOB NOT NULL, 
	changed_at VARCHAR(27) NOT NULL, 
	wrong INTEGER NOT NULL, 
	paused_until VARCHAR(27), 
	CONSTRAINT pk_pins PRIMARY KEY (subject), 
	CONSTRAINT fk_pins_subject FOREIGN KEY(subject) REFERENCES subjects (id)
);
INSERT INTO "pins" VALUES('019b8e07-4600-7d8f-91b7-584a2265b1f5',X'D8FB47C860FF04FE86E8436224FD8E1B7C97F718556EDD0D4D8B51B1423F2DBE116D81E91FDA54761585DD150E396329BFC7756C581661828B165E0F3733C72B2AB77FDE9DF59A93517BEFBA2D','2026-01-07T12:00:00.000000Z',0,NULL);
CREATE TABLE remote_copies (
	device VARCHAR(64) NOT NULL, 
	target VARCHAR(64) NOT NULL, 
	capture VARCHAR(36) NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	size_bytes BIGINT NOT NULL, 
	etag TEXT, 
	version TEXT, 
	upload TEXT, 
	reason VARCHAR(16), 
	changed_at VARCHAR(27) NOT NULL, 
	CONSTRAINT pk_remote_copies PRIMARY KEY (device, target, capture)
);
INSERT INTO "remote_copies" VALUES('box','5d41402abc4b2a76','019b8e3c-0000-7000-8000-000000000001','verified','abababababababababababababababababababababababababababababababab',312450,'"9b2cf535f27731c974343645a3985328"',NULL,NULL,NULL,'2026-01-05T12:00:00.000000Z');
CREATE TABLE rule_firings (
	device VARCHAR(64) NOT NULL, 
	rule VARCHAR(36) NOT NULL, 
	about VARCHAR(64) NOT NULL, 
	at VARCHAR(27) NOT NULL, 
	CONSTRAINT pk_rule_firings PRIMARY KEY (device, rule, about), 
	CONSTRAINT fk_rule_firings_device FOREIGN KEY(device) REFERENCES devices (id), 
	CONSTRAINT fk_rule_firings_rule FOREIGN KEY(rule) REFERENCES rules (id) ON DELETE CASCADE
);
INSERT INTO "rule_firings" VALUES('box','019b9853-fe00-7f65-9ed3-4fe53a096533','main','2026-01-07T12:00:00.000000Z');
CREATE TABLE rules (
	id VARCHAR(36) NOT NULL, 
	place INTEGER NOT NULL, 
	enabled BOOLEAN NOT NULL, 
	version INTEGER NOT NULL, 
	body TEXT NOT NULL, 
	created_at VARCHAR(27) NOT NULL, 
	changed_at VARCHAR(27) NOT NULL, 
	CONSTRAINT pk_rules PRIMARY KEY (id)
);
INSERT INTO "rules" VALUES('019b9853-fe00-7f65-9ed3-4fe53a096533',0,1,1,'{"actions":[{"kind":"screen","seconds":8.0,"text":"hello {alias}"}],"name":"Greet","on":"door_opened","when":{"cameras":[],"cool_down_s":60.0,"doors":[],"first_of_day":false,"grade":null,"groups":[],"hours":[],"labels":[],"least_score":0.0,"people":[],"repetitions":false}}','2026-01-07T12:00:00.000000Z','2026-01-07T12:00:00.000000Z');
CREATE TABLE screens (
	id VARCHAR(36) NOT NULL, 
	secret_sha256 VARCHAR(64) NOT NULL, 
	label VARCHAR(64) NOT NULL, 
	created_at VARCHAR(27) NOT NULL, 
	used_at VARCHAR(27), 
	revoked_at VARCHAR(27), lock VARCHAR(64), 
	CONSTRAINT pk_screens PRIMARY KEY (id), 
	CONSTRAINT uq_screens_secret_sha256 UNIQUE (secret_sha256)
);
CREATE TABLE search_features (
	featurizer INTEGER NOT NULL, 
	picture VARCHAR(36) NOT NULL, 
	version BIGINT NOT NULL, 
	vector BLOB NOT NULL, 
	CONSTRAINT pk_search_features PRIMARY KEY (featurizer, picture), 
	CONSTRAINT fk_search_features_featurizer FOREIGN KEY(featurizer) REFERENCES search_featurizers (id), 
	CONSTRAINT fk_search_features_picture FOREIGN KEY(picture) REFERENCES search_pictures (id) ON DELETE CASCADE
);
INSERT INTO "search_features" VALUES(1,'019b8e07-4600-76dc-8857-7eb1924770d3',5,X'5E31613622310FB90737EE322BB48334');
INSERT INTO "search_features" VALUES(1,'019b8e07-4600-703c-93fd-cab87b89296c',6,X'142BE4B0BBAFB6B936385B3517AE3E33');
INSERT INTO "search_features" VALUES(2,'019b8e07-4600-76dc-8857-7eb1924770d3',7,X'DE35CAAAE9B69D37C9B89BB068283DB4');
CREATE TABLE search_featurizers (
	id INTEGER NOT NULL, 
	name VARCHAR(64) NOT NULL, 
	numbers INTEGER, 
	floor BIGINT NOT NULL, 
	threshold FLOAT, 
	calibrated_at VARCHAR(27), 
	calibrated_version BIGINT, 
	CONSTRAINT pk_search_featurizers PRIMARY KEY (id), 
	CONSTRAINT uq_search_featurizers_name UNIQUE (name)
);
INSERT INTO "search_featurizers" VALUES(1,'efficientnet-lite0:0123456789ab',8,0,0.5,'2026-01-05T12:00:00.000000Z',16);
INSERT INTO "search_featurizers" VALUES(2,'other:ba9876543210',8,0,NULL,NULL,NULL);
CREATE TABLE search_images (
	picture VARCHAR(36) NOT NULL, 
	sealed_jpeg BLOB NOT NULL, 
	CONSTRAINT pk_search_images PRIMARY KEY (picture), 
	CONSTRAINT fk_search_images_picture FOREIGN KEY(picture) REFERENCES search_pictures (id) ON DELETE CASCADE
);
INSERT INTO "search_images" VALUES('019b8e07-4600-76dc-8857-7eb1924770d3',X'4E92AC93CEC61C57BB62796E46627F0809B88E8855E64D465188F6F5422B79FA6A67687871EA0CD7636B85A8CF0F7ED6D8DC4F89B3CD70308CDCBC140B8B13CB97DA1F4A700F674F9C488AEB0CAA9382A8900D');
INSERT INTO "search_images" VALUES('019b8e07-4600-703c-93fd-cab87b89296c',X'556CCDE4E14E91FA42F75084BEA91BD10C7EFBA30EBC4FE1BBDE91B8CD750E3EADFBC89D51835679E8F16B405E2E5E6FEB1FFBC329C146DE1A7B12A1ED2DCF299988509BA967ED6E36D5851EAD2F3686DB373E');
INSERT INTO "search_images" VALUES('019b8e07-4600-7d03-b66b-ad0734c2da80',X'6EFCD3D34AE1A777DC3CDA32BD10820DA46FD5CE8869A758E0C7F520C8BA374B76E9A0E7DD34181A6BF7AF0E372BD21A37E5F8C817A903A2590E9F091526D47C37CF3C8BEFF25FCB8D3D1E920DD24EB9894F95');
CREATE TABLE search_items (
	id VARCHAR(64) NOT NULL, 
	number BIGINT NOT NULL, 
	version BIGINT NOT NULL, 
	title TEXT NOT NULL, 
	link TEXT NOT NULL, 
	price TEXT NOT NULL, 
	notes TEXT NOT NULL, 
	words TEXT NOT NULL, 
	added_at VARCHAR(27) NOT NULL, 
	changed_at VARCHAR(27) NOT NULL, 
	CONSTRAINT pk_search_items PRIMARY KEY (id), 
	CONSTRAINT uq_search_items_number UNIQUE (number)
);
INSERT INTO "search_items" VALUES('cup-7',2,2,'Cup “blue”','https://example.org/?id=7','3,50 €','kitchen','cup-7
cup “blue”
3,50 €
kitchen','2026-01-05T12:00:00.000000Z','2026-01-05T12:00:00.000000Z');
INSERT INTO "search_items" VALUES('key-1',8,8,'Key','','','','key-1
key

','2026-01-05T12:00:00.000000Z','2026-01-05T12:00:00.000000Z');
CREATE TABLE search_pictures (
	id VARCHAR(36) NOT NULL, 
	item VARCHAR(64) NOT NULL, 
	number BIGINT NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	width_px INTEGER NOT NULL, 
	height_px INTEGER NOT NULL, 
	size_bytes INTEGER NOT NULL, 
	wrapped_key BLOB NOT NULL, 
	CONSTRAINT pk_search_pictures PRIMARY KEY (id), 
	CONSTRAINT fk_search_pictures_item FOREIGN KEY(item) REFERENCES search_items (id), 
	CONSTRAINT uq_search_pictures_item UNIQUE (item, sha256)
);
INSERT INTO "search_pictures" VALUES('019b8e07-4600-76dc-8857-7eb1924770d3','cup-7',3,'c51077f2c8425fe65324d03dd36cd5c9c4e4e8fff418d6d179f6ee1c1eaa74af',64,48,83,X'975CABFB20A7E616712EA891BB58415603A437A453');
INSERT INTO "search_pictures" VALUES('019b8e07-4600-703c-93fd-cab87b89296c','cup-7',4,'4836bdf3d3d09f722256f17fe96174f2681b0f2b3883995adf55b166db83c129',64,48,83,X'FAD6B9F1DEEEBBCD3E25B1063FE36113E4C2678904');
INSERT INTO "search_pictures" VALUES('019b8e07-4600-7d03-b66b-ad0734c2da80','key-1',9,'195da8b2fee8dbfec2be4ebef3a75ffa937e9fa65c4e6ee9b5af18f0e0c6bd07',64,48,83,X'2BD53025F20174EEF5CD7E430FC7E15DFD8815F061');
CREATE TABLE search_removed (
	featurizer INTEGER NOT NULL, 
	version BIGINT NOT NULL, 
	picture VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_search_removed PRIMARY KEY (featurizer, version), 
	CONSTRAINT fk_search_removed_featurizer FOREIGN KEY(featurizer) REFERENCES search_featurizers (id)
);
INSERT INTO "search_removed" VALUES(1,13,'019b8e07-4600-7470-92d6-b8777dc59a3a');
CREATE TABLE search_state (
	only BOOLEAN NOT NULL, 
	version BIGINT NOT NULL, 
	item_count BIGINT NOT NULL, 
	picture_count BIGINT NOT NULL, 
	featurizer INTEGER, 
	next_featurizer INTEGER, 
	CONSTRAINT pk_search_state PRIMARY KEY (only), 
	CONSTRAINT fk_search_state_featurizer FOREIGN KEY(featurizer) REFERENCES search_featurizers (id), 
	CONSTRAINT fk_search_state_next_featurizer FOREIGN KEY(next_featurizer) REFERENCES search_featurizers (id)
);
INSERT INTO "search_state" VALUES(1,16,2,3,1,2);
CREATE TABLE songs (
	id VARCHAR(36) NOT NULL, 
	title VARCHAR(64) NOT NULL, 
	licence VARCHAR(64) NOT NULL, 
	seconds FLOAT NOT NULL, 
	media_type VARCHAR(64) NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	audio BLOB NOT NULL, 
	created_at VARCHAR(27) NOT NULL, 
	CONSTRAINT pk_songs PRIMARY KEY (id)
);
INSERT INTO "songs" VALUES('019b9853-fe00-7740-bcc6-61e97589ca4a','Chime','CC0-1.0',1.5,'audio/mpeg','34e35f17ad73661a4a169dd74f0065ebae3f7a804b0df6f851f2e2aca1316350',X'FFFB9000','2026-01-07T12:00:00.000000Z');
CREATE TABLE subject_songs (
	subject VARCHAR(36) NOT NULL, 
	song VARCHAR(36) NOT NULL, 
	given_at VARCHAR(27) NOT NULL, 
	CONSTRAINT pk_subject_songs PRIMARY KEY (subject), 
	CONSTRAINT fk_subject_songs_subject FOREIGN KEY(subject) REFERENCES subjects (id), 
	CONSTRAINT fk_subject_songs_song FOREIGN KEY(song) REFERENCES songs (id)
);
INSERT INTO "subject_songs" VALUES('019b8e07-4600-7d8f-91b7-584a2265b1f5','019b9853-fe00-7740-bcc6-61e97589ca4a','2026-01-07T12:00:00.000000Z');
CREATE TABLE subjects (
	id VARCHAR(36) NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	wrapped_key BLOB, 
	sealed_profile BLOB, 
	created_at VARCHAR(27) NOT NULL, 
	changed_at VARCHAR(27) NOT NULL, strictness FLOAT DEFAULT 1 NOT NULL, 
	CONSTRAINT pk_subjects PRIMARY KEY (id)
);
INSERT INTO "subjects" VALUES('019b8e07-4600-7d8f-91b7-584a2265b1f5','active',X'B61071A5BE3BACB5372F3172105360D4712509AD81',X'57334986EEDF38B3EE791E03BDB7A75B3507013D98C38B2D2F46C73EB35F0BE7680B3C633C9B4137C2E1B32CCF','2026-01-05T12:00:00.000000Z','2026-01-05T12:00:00.000000Z',10.0);
CREATE TABLE templates (
	reference VARCHAR(36) NOT NULL, 
	model VARCHAR(64) NOT NULL, 
	sealed_embedding BLOB NOT NULL, 
	CONSTRAINT pk_templates PRIMARY KEY (reference, model), 
	CONSTRAINT fk_templates_reference FOREIGN KEY(reference) REFERENCES face_references (id) ON DELETE CASCADE
);
INSERT INTO "templates" VALUES('019b8e07-4600-7c9e-a12e-7696a6cecc1b','dlib',X'0AE19BD47B3EF05A22554FEB56D8C97C5149B5ACCFDA46442FE4EAE1874E06F0FC884CCE526F3860C858D76D28006EE6EC773991F51381BE76E02A9C821C453B1ACDBE2D4503FB5A59A74B8D30E4E02FBC105EFA76329A9905260284D6BC9BF584EF91784A1801BC63D20B903F270618793DB7FC5A38DE8A6095F2DA3BB4EC968CE6753E98E3E1ED4111D6B6E8B373293DFD925691ECB321AD683670932C786161261D483E2863044FBE55921FC466D9E9B93C3FE347DBFACE9C2DE091F0A0A9B226A9BF073A5E2821A5280724CBD2DBE0FD2C1A42E8CC1F64E7FBA9247F34F674579FAE9296A9EAB9C0CFA2FFEDFF3AA4E8EA4709A4A98EE3A92740A656DC84489E479C8985A67097880BAC7D8F4444AA95D7DBA6D9476F4714941C9D2F6DB1C4F1BD728DD0DD906FDD69AD854D1EB9D158D9C345508DF02D2923122F97384FB82E856A5EABEDC99E7D040204A5251F076EFD92AC0E449E8DA3FEE48D46DC1DFE5AB7DBFEA72BE0D93DA2244AA42C7A6F3B0F4D067379CF8D57CCC6F64B0FC7AA3E2D3EE892EDD47D4A17639697D2FF061B9CEEECE7C40822484B141105DE2A930A4D7DF642FE6007C0657554D93907154309B920394473FD93CF467E88A0AF7798658D6194B7010F61B098611CADB281395C56501AA15BD202CE076E6E58B22301B6AA79A40B082D38F7CB95CE621AC29BCD380CDBF22CA8A2F6941E401C3CB396E0DCF4E8D7A18A99C5F866B39A98');
INSERT INTO "templates" VALUES('019b8e07-4600-7c9e-a12e-7696a6cecc1b','sface',X'80A86D81BC6473908DB3BE406C6C9FE005601ACEF58CECC37472403973AFB39FBDCAC35C02DCFBFB95433994C9E958863B1B97673750059414027FCDA83208D264EE5E8F5D0CE8D4DEB2D3DE6B8F75DCC57B08FFC75E040740AB0CD6E5AD637AEA66D6ACC9CF7001E836BF309C403EFCFD6FA1B0688EB23CB92160D561A0D8CF413E711CC9B90E7064164A5D43D66D35DA342573177390B60EF943AF06045FCA34A2B7C10FE131FD74D551F8AD481ED9315F8B8B3B694E104FAD860812F5F51BE6051FC7A2ED282B24E9A23ACB76A93E2386C242CEBA1DE4A0297F127FA86A6221929EBC53D4A1D4529F882A29DB13B3C82541501B5D44DBB8B3AEABBDFAB799311D3D524D4E7150B1BF2C4392DF22988337F876B0D798D50D7E211AF7C2088E81EE52C9FCE6C8CF637BF64892023B6CBA8E142DAFE9D1FE6FB7539908CE225D45BCB3407288AB7D65BB96D3DF892455E5DE6E54707F95C417F134C00C048C37A190F0E76C11E0EB5A13207F366838DCCBC65893849D44FFE84C9865863BD419ADAE743CAFFBB19D37D6090FB79462BC2DC120C85D6947696041618FF67335811D984BE4BE6B58AF96F838B980ECC08B51203507867F4F33E6FA5EABB2B87B12E2384F5EA8E43AC24A657A53CEB515FF4AD0BADAAC4C7B1CAB31021CB986E3BE248A2AE9EADB9D813FF30673A9E80959C0DB501DFE2869C15D246EDA08B4401FF50A3B7507407ED15519C5CE887B9ADA');
CREATE INDEX ix_events_device_type_position ON events (device, type, position);
CREATE INDEX ix_events_device_subject_position ON events (device, subject, position);
CREATE INDEX ix_outbox_device_state_not_before ON outbox (device, state, not_before);
CREATE INDEX ix_consents_subject ON consents (subject);
CREATE INDEX ix_face_references_subject ON face_references (subject);
CREATE INDEX ix_operator_sessions_operator ON operator_sessions (operator);
CREATE INDEX ix_api_tokens_operator ON api_tokens (operator);
CREATE INDEX ix_one_time_codes_operator ON one_time_codes (operator);
CREATE INDEX ix_events_timeline ON events (device, position, type, at, door, encounter, subject);
CREATE INDEX ix_events_encounter ON events (device, encounter, position, type);
CREATE INDEX ix_events_visit ON events (device, visit, position, type);
CREATE INDEX ix_counters_subject ON counters (subject);
CREATE INDEX ix_counted_subject ON counted (subject);
CREATE INDEX ix_group_members_subject ON group_members (subject);
CREATE INDEX ix_subject_songs_song ON subject_songs (song);
CREATE INDEX ix_coffees_said ON coffees (said);
CREATE INDEX ix_coffees_subject ON coffees (subject);
CREATE INDEX ix_coffees_at ON coffees (at);
CREATE INDEX ix_coffees_subject_at ON coffees (subject, at);
CREATE INDEX ix_moments_kind ON moments (kind, at, place, door, verdict) WHERE kind <> 'seen';
CREATE INDEX ix_moments_subject ON moments (subject, at) WHERE subject IS NOT NULL;
CREATE INDEX ix_moments_about ON moments (about) WHERE about IS NOT NULL;
CREATE INDEX ix_moment_clips_place_begin_ms ON moment_clips (place, begin_ms);
CREATE INDEX ix_search_features_picture ON search_features (picture);
CREATE INDEX ix_search_features_featurizer_version ON search_features (featurizer, version);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('outbox',1);
INSERT INTO "sqlite_sequence" VALUES('moments',5);
COMMIT;
